//! Interfaces that SDKs of Spin for other languages import whether or not their program uses them: MQTT, MySQL and language
//! models of `fermyon:spin@2.0.0`. A component that imports them is served; what it asks of them is declined, with the reason.

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit/deps/fermyon-spin-declined",
        inline: "
            package plaza:declined;
            world imports {
                import fermyon:spin/llm@2.0.0;
                import fermyon:spin/mqtt@2.0.0;
                import fermyon:spin/mysql@2.0.0;
            }
        ",
        world: "plaza:declined/imports",
        imports: { default: trappable },
        with: {
            "fermyon:spin/mqtt.connection": crate::capability::declined::NoConnection,
            "fermyon:spin/mysql.connection": crate::capability::declined::NoConnection,
        },
    });
}

use wasmtime::{
    Result,
    component::{HasData, Linker, Resource},
};

use bindings::fermyon::spin::{
    llm, mqtt, mysql,
    rdbms_types::{self, ParameterValue, RowSet},
};

/// The interfaces, by the schemes of the addresses that a component would be granted for them; language models have none.
pub const INTERFACES: &[(&str, &[&str])] = &[("llm", &[]), ("mqtt", &["mqtt", "mqtts"]), ("mysql", &["mysql"])];

/// A connection that nobody can have.
pub enum NoConnection {}

/// The host's side of all of them: nothing.
struct Declined;

impl HasData for Declined {
    type Data<'a> = Declined;
}

/// Defines the interfaces in `linker`.
///
/// # Errors
/// If one of the names is defined already.
pub fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>) -> Result<()> {
    llm::add_to_linker::<T, Declined>(linker, |_| Declined)?;
    mqtt::add_to_linker::<T, Declined>(linker, |_| Declined)?;
    mysql::add_to_linker::<T, Declined>(linker, |_| Declined)
}

fn reason(what: &str) -> String {
    format!("{what} is not served by this host")
}

impl llm::Host for Declined {
    fn infer(
        &mut self,
        _model: String,
        _prompt: String,
        _params: Option<llm::InferencingParams>,
    ) -> Result<Result<llm::InferencingResult, llm::Error>> {
        Ok(Err(llm::Error::RuntimeError(reason("a language model"))))
    }

    fn generate_embeddings(
        &mut self,
        _model: String,
        _text: Vec<String>,
    ) -> Result<Result<llm::EmbeddingsResult, llm::Error>> {
        Ok(Err(llm::Error::RuntimeError(reason("a language model"))))
    }
}

type OfMqtt<V> = Result<Result<V, mqtt::Error>>;

fn no_mqtt<V>() -> OfMqtt<V> {
    Ok(Err(mqtt::Error::ConnectionFailed(reason("MQTT"))))
}

impl mqtt::Host for Declined {}

impl mqtt::HostConnection for Declined {
    fn open(
        &mut self,
        _address: String,
        _username: String,
        _password: String,
        _keep_alive: u64,
    ) -> OfMqtt<Resource<NoConnection>> {
        no_mqtt()
    }

    fn publish(
        &mut self,
        _connection: Resource<NoConnection>,
        _topic: String,
        _payload: mqtt::Payload,
        _qos: mqtt::Qos,
    ) -> OfMqtt<()> {
        no_mqtt()
    }

    fn drop(&mut self, _connection: Resource<NoConnection>) -> Result<()> {
        Ok(())
    }
}

type OfMysql<V> = Result<Result<V, rdbms_types::Error>>;

fn no_mysql<V>() -> OfMysql<V> {
    Ok(Err(rdbms_types::Error::ConnectionFailed(reason("MySQL"))))
}

impl mysql::Host for Declined {}

impl mysql::HostConnection for Declined {
    fn open(&mut self, _address: String) -> OfMysql<Resource<NoConnection>> {
        no_mysql()
    }

    fn query(
        &mut self,
        _connection: Resource<NoConnection>,
        _statement: String,
        _params: Vec<ParameterValue>,
    ) -> OfMysql<RowSet> {
        no_mysql()
    }

    fn execute(
        &mut self,
        _connection: Resource<NoConnection>,
        _statement: String,
        _params: Vec<ParameterValue>,
    ) -> OfMysql<()> {
        no_mysql()
    }

    fn drop(&mut self, _connection: Resource<NoConnection>) -> Result<()> {
        Ok(())
    }
}

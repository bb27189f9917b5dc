//! How many sockets an instance has open: each is a file descriptor, of which the process has so many and no more.

use std::any::Any;

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceTable},
};
use wasmtime_wasi::{
    p2::{
        self,
        bindings::sockets::{network, tcp_create_socket, udp_create_socket},
    },
    p3::bindings::sockets::types,
    sockets::{self, WasiSocketsCtxView},
};

use crate::limits::SOCKETS_PER_INSTANCE;

/// The sockets of one instance.
#[derive(Default)]
pub struct OpenSockets(Vec<Place>);

/// Where a socket is in its instance's table.
struct Place {
    number: u32,
    /// Whether there is still a socket of its kind at a place.
    is_open: fn(&ResourceTable, u32) -> bool,
}

impl OpenSockets {
    /// Whether there is room for another, those aside that have been closed since.
    fn have_room(&mut self, table: &ResourceTable) -> bool {
        self.0.retain(|Place { number, is_open }| is_open(table, *number));
        self.0.len() < SOCKETS_PER_INSTANCE
    }

    fn add<S: Any>(&mut self, socket: &Resource<S>) {
        self.0.push(Place { number: socket.rep(), is_open: is_open::<S> });
    }
}

fn is_open<S: Any>(table: &ResourceTable, number: u32) -> bool {
    table.get(&Resource::<S>::new_borrow(number)).is_ok()
}

/// How a store's sockets are found.
pub struct Access<T: 'static> {
    /// What wasmtime keeps of them.
    pub wasi: fn(&mut T) -> WasiSocketsCtxView<'_>,
    /// What is counted of them.
    pub open: fn(&mut T) -> &mut OpenSockets,
}

impl<T> Clone for Access<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Access<T> {}

impl<T: Send + 'static> Access<T> {
    fn has_room(self, store: &mut StoreContextMut<'_, T>) -> bool {
        let mut open = std::mem::take((self.open)(store.data_mut()));
        let has_room = open.have_room((self.wasi)(store.data_mut()).table);
        *(self.open)(store.data_mut()) = open;
        has_room
    }

    /// Counts a socket that was made.
    fn made<S: Any, E>(
        self,
        store: &mut StoreContextMut<'_, T>,
        made: Result<Resource<S>, E>,
    ) -> Result<Resource<S>, E> {
        made.inspect(|socket| (self.open)(store.data_mut()).add(socket))
    }
}

/// Has sockets counted as they are made, in both versions of WASI. Call it after wasmtime-wasi's own `add_to_linker`, whose functions it
/// replaces and calls.
///
/// # Errors
/// If a function cannot be defined.
pub fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, access: Access<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    add_p2(linker, access)?;
    add_p3(linker, access)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn add_p2<T: Send + 'static>(linker: &mut Linker<T>, access: Access<T>) -> wasmtime::Result<()> {
    type Made<S> = Result<Resource<S>, network::ErrorCode>;
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        move |mut store: StoreContextMut<'_, T>, (family,): (network::IpAddressFamily,)| {
            if !access.has_room(&mut store) {
                return Ok((Err(network::ErrorCode::NewSocketLimit) as Made<p2::TcpSocket>,));
            }
            let mut view = (access.wasi)(store.data_mut());
            let made = match tcp_create_socket::Host::create_tcp_socket(&mut view, family) {
                Ok(socket) => Ok(socket),
                Err(error) => Err(network::Host::convert_error_code(&mut view, error)?),
            };
            Ok((access.made(&mut store, made),))
        },
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap_async(
        "create-udp-socket",
        move |mut store: StoreContextMut<'_, T>, (family,): (network::IpAddressFamily,)| {
            Box::new(async move {
                if !access.has_room(&mut store) {
                    return Ok((Err(network::ErrorCode::NewSocketLimit) as Made<p2::UdpSocket>,));
                }
                let mut view = (access.wasi)(store.data_mut());
                let made = match udp_create_socket::Host::create_udp_socket(&mut view, family).await {
                    Ok(socket) => Ok(socket),
                    Err(error) => Err(network::Host::convert_error_code(&mut view, error)?),
                };
                Ok((access.made(&mut store, made),))
            })
        },
    )
}

fn add_p3<T: Send + 'static>(linker: &mut Linker<T>, access: Access<T>) -> wasmtime::Result<()> {
    type Made<S> = Result<Resource<S>, types::ErrorCode>;
    let too_many = || types::ErrorCode::Other(Some(format!("at most {SOCKETS_PER_INSTANCE} sockets are open at once")));
    let mut instance = linker.instance("wasi:sockets/types@0.3.0")?;
    instance.func_wrap(
        "[static]tcp-socket.create",
        move |mut store: StoreContextMut<'_, T>, (family,): (types::IpAddressFamily,)| {
            if !access.has_room(&mut store) {
                return Ok((Err(too_many()) as Made<sockets::TcpSocket>,));
            }
            let mut view = (access.wasi)(store.data_mut());
            let made = match types::HostTcpSocket::create(&mut view, family) {
                Ok(socket) => Ok(socket),
                Err(error) => Err(types::Host::convert_error_code(&mut view, error)?),
            };
            Ok((access.made(&mut store, made),))
        },
    )?;
    instance.func_wrap_async(
        "[static]udp-socket.create",
        move |mut store: StoreContextMut<'_, T>, (family,): (types::IpAddressFamily,)| {
            Box::new(async move {
                if !access.has_room(&mut store) {
                    return Ok((Err(too_many()) as Made<sockets::UdpSocket>,));
                }
                let mut view = (access.wasi)(store.data_mut());
                let made = match types::HostUdpSocket::create(&mut view, family).await {
                    Ok(socket) => Ok(socket),
                    Err(error) => Err(types::Host::convert_error_code(&mut view, error)?),
                };
                Ok((access.made(&mut store, made),))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_sockets_make_room_for_others_and_what_took_their_place_does_not_count() {
        let (mut table, mut open) = (ResourceTable::new(), OpenSockets::default());
        let sockets: Vec<Resource<u8>> = (0..SOCKETS_PER_INSTANCE).map(|_| table.push(0).unwrap()).collect();
        for socket in &sockets {
            assert!(open.have_room(&table));
            open.add(socket);
        }
        assert!(!open.have_room(&table));
        sockets.into_iter().take(2).for_each(|socket| _ = table.delete(socket).unwrap());
        table.push("no socket".to_owned()).unwrap();
        assert!(open.have_room(&table));
        assert_eq!(open.0.len(), SOCKETS_PER_INSTANCE - 2);
    }
}

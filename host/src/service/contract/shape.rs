//! The types of a function, compared and printed by their structure.

use std::fmt;

use wasmtime::component::types::{ComponentFunc, Type};

/// A function's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// `async func`.
    pub asynchronous: bool,
    /// Names and types, in order.
    pub params: Vec<(String, Shape)>,
    /// What it returns.
    pub result: Option<Shape>,
}

/// A type by its structure; printed as WIT would write it, were every type anonymous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `bool`, `u8`, `string`, …
    Plain(&'static str),
    /// `list<T>`.
    List(Box<Shape>),
    /// `list<T, N>`.
    Array(Box<Shape>, u32),
    /// `map<K, V>`.
    Map(Box<Shape>, Box<Shape>),
    /// Fields in order.
    Record(Vec<(String, Shape)>),
    /// Types in order.
    Tuple(Vec<Shape>),
    /// Cases in order, with their payload.
    Variant(Vec<(String, Option<Shape>)>),
    /// Names in order.
    Enum(Vec<String>),
    /// Names in order.
    Flags(Vec<String>),
    /// `option<T>`.
    Option(Box<Shape>),
    /// `result<T, E>`.
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
    /// `own<…>`: a resource handed over.
    Own,
    /// `borrow<…>`: a resource lent.
    Borrow,
    /// `stream<T>`.
    Stream(Option<Box<Shape>>),
    /// `future<T>`.
    Future(Option<Box<Shape>>),
    /// `error-context`.
    ErrorContext,
}

impl Function {
    /// Reads a function's type.
    pub(super) fn of(function: &ComponentFunc) -> Self {
        Self {
            asynchronous: function.async_(),
            params: function.params().map(|(name, ty)| (name.to_owned(), Shape::of(&ty))).collect(),
            result: function.results().next().map(|ty| Shape::of(&ty)),
        }
    }

    /// The first value in it that belongs to one store and cannot leave it.
    pub fn bound_to_store(&self) -> Option<&Shape> {
        self.params.iter().map(|(_, shape)| shape).chain(&self.result).find_map(Shape::bound_to_store)
    }
}

impl Shape {
    /// Reads a type.
    fn of(ty: &Type) -> Self {
        let boxed = |ty: &Type| Box::new(Self::of(ty));
        let maybe = |ty: Option<Type>| ty.as_ref().map(boxed);
        let owned = |name: &str| name.to_owned();
        match ty {
            Type::Bool => Self::Plain("bool"),
            Type::S8 => Self::Plain("s8"),
            Type::U8 => Self::Plain("u8"),
            Type::S16 => Self::Plain("s16"),
            Type::U16 => Self::Plain("u16"),
            Type::S32 => Self::Plain("s32"),
            Type::U32 => Self::Plain("u32"),
            Type::S64 => Self::Plain("s64"),
            Type::U64 => Self::Plain("u64"),
            Type::Float32 => Self::Plain("f32"),
            Type::Float64 => Self::Plain("f64"),
            Type::Char => Self::Plain("char"),
            Type::String => Self::Plain("string"),
            Type::List(list) => Self::List(boxed(&list.ty())),
            Type::FixedLengthList(list) => Self::Array(boxed(&list.ty()), list.len()),
            Type::Map(map) => Self::Map(boxed(&map.key()), boxed(&map.value())),
            Type::Record(record) => {
                Self::Record(record.fields().map(|field| (owned(field.name), Self::of(&field.ty))).collect())
            }
            Type::Tuple(tuple) => Self::Tuple(tuple.types().map(|ty| Self::of(&ty)).collect()),
            Type::Variant(variant) => {
                let case = |ty: Option<Type>| ty.as_ref().map(Self::of);
                Self::Variant(variant.cases().map(|found| (owned(found.name), case(found.ty))).collect())
            }
            Type::Enum(names) => Self::Enum(names.names().map(owned).collect()),
            Type::Flags(names) => Self::Flags(names.names().map(owned).collect()),
            Type::Option(option) => Self::Option(boxed(&option.ty())),
            Type::Result(result) => Self::Result(maybe(result.ok()), maybe(result.err())),
            Type::Own(_) => Self::Own,
            Type::Borrow(_) => Self::Borrow,
            Type::Stream(stream) => Self::Stream(maybe(stream.ty())),
            Type::Future(future) => Self::Future(maybe(future.ty())),
            Type::ErrorContext => Self::ErrorContext,
        }
    }

    fn bound_to_store(&self) -> Option<&Self> {
        match self {
            Self::Own | Self::Borrow | Self::Stream(_) | Self::Future(_) | Self::ErrorContext => Some(self),
            Self::Plain(_) | Self::Enum(_) | Self::Flags(_) => None,
            Self::List(item) | Self::Array(item, _) | Self::Option(item) => item.bound_to_store(),
            Self::Map(key, value) => key.bound_to_store().or_else(|| value.bound_to_store()),
            Self::Record(fields) => fields.iter().find_map(|(_, field)| field.bound_to_store()),
            Self::Tuple(types) => types.iter().find_map(Self::bound_to_store),
            Self::Variant(cases) => cases.iter().find_map(|(_, payload)| payload.as_ref()?.bound_to_store()),
            Self::Result(ok, error) => [ok, error].into_iter().flatten().find_map(|side| side.bound_to_store()),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.asynchronous { "async func(" } else { "func(" })?;
        join(out, &self.params, |out, (name, shape)| write!(out, "{name}: {shape}"))?;
        out.write_str(")")?;
        match &self.result {
            Some(result) => write!(out, " -> {result}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => out.write_str(name),
            Self::List(item) => write!(out, "list<{item}>"),
            Self::Array(item, length) => write!(out, "list<{item}, {length}>"),
            Self::Map(key, value) => write!(out, "map<{key}, {value}>"),
            Self::Option(item) => write!(out, "option<{item}>"),
            Self::Record(fields) => {
                out.write_str("record { ")?;
                join(out, fields, |out, (name, shape)| write!(out, "{name}: {shape}"))?;
                out.write_str(" }")
            }
            Self::Tuple(types) => {
                out.write_str("tuple<")?;
                join(out, types, |out, shape| write!(out, "{shape}"))?;
                out.write_str(">")
            }
            Self::Variant(cases) => {
                out.write_str("variant { ")?;
                join(out, cases, |out, (name, payload)| match payload {
                    Some(payload) => write!(out, "{name}({payload})"),
                    None => out.write_str(name),
                })?;
                out.write_str(" }")
            }
            Self::Enum(names) => write!(out, "enum {{ {} }}", names.join(", ")),
            Self::Flags(names) => write!(out, "flags {{ {} }}", names.join(", ")),
            Self::Result(None, None) => out.write_str("result"),
            Self::Result(Some(ok), None) => write!(out, "result<{ok}>"),
            Self::Result(None, Some(error)) => write!(out, "result<_, {error}>"),
            Self::Result(Some(ok), Some(error)) => write!(out, "result<{ok}, {error}>"),
            Self::Own => out.write_str("a resource"),
            Self::Borrow => out.write_str("a borrowed resource"),
            Self::Stream(None) => out.write_str("stream"),
            Self::Stream(Some(item)) => write!(out, "stream<{item}>"),
            Self::Future(None) => out.write_str("future"),
            Self::Future(Some(item)) => write!(out, "future<{item}>"),
            Self::ErrorContext => out.write_str("error-context"),
        }
    }
}

/// Writes items with commas between them.
fn join<T>(
    out: &mut fmt::Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(out, item)
    })
}

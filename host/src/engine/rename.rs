//! Gives imports and exports of a component other names. Everything else stays, byte for byte.
//!
//! Only the names by which the component is known outside change. Components inside it are given what they import by the names that they
//! have for it themselves, and what of theirs is used is looked up by those.

use wasm_encoder::{Component, ComponentSectionId, Encode, RawSection};
use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentExport, ComponentImport, FromReader, Parser, Payload, SectionLimited,
};

/// Says which other name something is to have, if any.
pub type Other<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The names by which a component is known outside, in the order in which they stand there.
#[derive(Default)]
pub struct Names {
    /// Of what it imports.
    pub imports: Vec<String>,
    /// Of what it exports.
    pub exports: Vec<String>,
}

/// The component with those imports renamed for which `other` has a name.
///
/// # Errors
/// When the bytes are no component.
pub fn imports(component: &[u8], other: &Other<'_>) -> Result<Vec<u8>, BinaryReaderError> {
    imports_and_exports(component, other, &|_| None)
}

/// The component with those imports and exports renamed for which there is another name.
///
/// # Errors
/// When the bytes are no component.
pub fn imports_and_exports(
    component: &[u8],
    import: &Other<'_>,
    export: &Other<'_>,
) -> Result<Vec<u8>, BinaryReaderError> {
    let mut renamed = Component::new();
    outermost(component, |payload| {
        match (payload, payload.as_section()) {
            (Payload::ComponentImportSection(section), _) => {
                let data = rename(component, section, import)?;
                renamed.section(&RawSection { id: ComponentSectionId::Import.into(), data: &data });
            }
            (Payload::ComponentExportSection(section), _) => {
                let data = rename(component, section, export)?;
                renamed.section(&RawSection { id: ComponentSectionId::Export.into(), data: &data });
            }
            (_, Some((id, range))) => {
                let data = component.get(range).unwrap_or_default();
                renamed.section(&RawSection { id, data });
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(renamed.finish())
}

/// What a component's imports and exports are called.
///
/// # Errors
/// When the bytes are no component.
pub fn names(component: &[u8]) -> Result<Names, BinaryReaderError> {
    let mut names = Names::default();
    outermost(component, |payload| {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    names.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    names.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(names)
}

/// Hands over what stands in a component itself, rather than in the components and modules inside it.
fn outermost(
    component: &[u8],
    mut visit: impl FnMut(&Payload<'_>) -> Result<(), BinaryReaderError>,
) -> Result<(), BinaryReaderError> {
    // How many components and modules the parser is inside of.
    let mut depth = 0_i32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if depth == 0 {
            visit(&payload)?;
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

/// An import or an export: a byte, its name, and what it is.
trait Named {
    fn name(&self) -> &str;
}

impl Named for ComponentImport<'_> {
    fn name(&self) -> &str {
        self.name.name
    }
}

impl Named for ComponentExport<'_> {
    fn name(&self) -> &str {
        self.name.name
    }
}

/// A section of imports or exports: how many there are, and each of them.
fn rename<'a, T: Named + FromReader<'a>>(
    component: &[u8],
    section: &SectionLimited<'a, T>,
    other: &Other<'_>,
) -> Result<Vec<u8>, BinaryReaderError> {
    let entries = section.clone().into_iter_with_offsets().collect::<Result<Vec<_>, _>>()?;
    let ends = entries.iter().skip(1).map(|(start, _)| *start).chain([section.range().end]);
    let mut data = Vec::new();
    section.count().encode(&mut data);
    for ((start, named), end) in entries.iter().zip(ends) {
        let entry = component.get(*start..end).unwrap_or_default();
        let Some(name) = other(named.name()) else {
            data.extend(entry);
            continue;
        };
        let mut reader = BinaryReader::new(entry, *start);
        let kind = reader.read_u8()?;
        reader.read_string()?;
        data.push(kind);
        name.as_str().encode(&mut data);
        data.extend(entry.get(reader.current_position()..).unwrap_or_default());
    }
    Ok(data)
}

//! Gives imports of a component other names. Everything else stays, byte for byte.

use wasm_encoder::{Component, ComponentSectionId, Encode, RawSection};
use wasmparser::{BinaryReader, BinaryReaderError, ComponentImport, Parser, Payload, SectionLimited};

/// The component with those imports renamed for which `other` has a name.
///
/// # Errors
/// When the bytes are no component.
pub(super) fn imports(component: &[u8], other: &dyn Fn(&str) -> Option<String>) -> Result<Vec<u8>, BinaryReaderError> {
    let mut renamed = Component::new();
    // How many components and modules the parser is inside of; what those import are no imports of this one.
    let mut depth = 0_i32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match (&payload, payload.as_section()) {
            (Payload::ComponentImportSection(section), _) if depth == 0 => {
                let data = rename(component, section, other)?;
                renamed.section(&RawSection { id: ComponentSectionId::Import.into(), data: &data });
            }
            (_, Some((id, range))) if depth == 0 => {
                let data = component.get(range).unwrap_or_default();
                renamed.section(&RawSection { id, data });
            }
            _ => {}
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(renamed.finish())
}

/// A section of imports: how many there are, and for each a byte, its name and its type.
fn rename(
    component: &[u8],
    section: &SectionLimited<'_, ComponentImport<'_>>,
    other: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<u8>, BinaryReaderError> {
    let imports = section.clone().into_iter_with_offsets().collect::<Result<Vec<_>, _>>()?;
    let ends = imports.iter().skip(1).map(|(start, _)| *start).chain([section.range().end]);
    let mut data = Vec::new();
    section.count().encode(&mut data);
    for ((start, import), end) in imports.iter().zip(ends) {
        let entry = component.get(*start..end).unwrap_or_default();
        let Some(name) = other(import.name.name) else {
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

//! What a command says, on the standard output.
//!
//! Its reader may have seen enough before it ends (`plaza status --watch | head`): then the command ends, too.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    process,
};

/// The exit code of a program that the signal SIGPIPE (13) has ended, which is how others end there.
const READER_GONE: i32 = 128 + 13;

/// Prints, as `print!` does.
macro_rules! out {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!($($text)*)) };
}

/// Prints a line, as `println!` does.
macro_rules! outln {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!("{}\n", format_args!($($text)*))) };
}

pub(crate) use {out, outln};

/// Writes at once; ends the program where it cannot.
pub(crate) fn write(text: Arguments<'_>) {
    let mut output = io::stdout();
    match output.write_fmt(text).and_then(|()| output.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(READER_GONE),
        Err(error) => {
            eprintln!("plaza: cannot print: {error}");
            process::exit(1);
        }
    }
}

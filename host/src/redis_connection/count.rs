//! How many elements an answer has, counted while it is read: each takes far more memory than it has bytes on the wire.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};

use crate::limits::REDIS_ANSWER_ELEMENTS;

/// What is read through this is counted, one answer after the other.
pub(super) struct Counting<R> {
    inner: R,
    count: Count,
    bytes: u64,
    heard_at: Instant,
}

/// Where one is in the protocol (RESP), as far as it takes to count.
#[derive(Debug, Default)]
struct Count {
    /// Elements of this answer that have begun.
    begun: u64,
    /// Elements that are still to come, beyond what has begun.
    promised: u64,
    at: At,
    is_over: bool,
}

/// The byte that comes next.
#[derive(Debug, Default, Clone, Copy)]
enum At {
    /// It says of which type an element is.
    #[default]
    Type,
    /// It belongs to an element's first line, which began with this type and this number, and perhaps ends here.
    Line { kind: u8, number: Option<u64>, is_negative: bool, after_return: bool },
    /// It is one of so many that belong to a text.
    Text { left: u64 },
}

impl<R> Counting<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, count: Count::default(), bytes: 0, heard_at: Instant::now() }
    }

    /// What is written goes past the count.
    pub(super) fn writer(&mut self) -> &mut R {
        &mut self.inner
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the last of them came, or the connection was made.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// Whether an answer had more elements than one may have. Nothing more is read then.
    pub(super) fn is_over(&self) -> bool {
        self.count.is_over
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Counting<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let come = buffer.filled().get(before..).unwrap_or_default();
        if !come.is_empty() {
            self.bytes += come.len() as u64;
            self.heard_at = Instant::now();
        }
        self.count.take(come);
        if self.count.is_over {
            return Poll::Ready(Err(io::Error::other("an answer has too many elements")));
        }
        Poll::Ready(Ok(()))
    }
}

impl Count {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if let At::Text { left } = self.at {
                let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(skipped..).unwrap_or_default();
                self.goes_on_in_text(left - skipped as u64);
                continue;
            }
            self.at = match (self.at, first) {
                (At::Line { kind, number, is_negative, after_return: true }, b'\n') => {
                    let number = number.unwrap_or(0);
                    let is_nothing = is_negative && number > 0;
                    self.begins(kind, if is_nothing { 0 } else { number }, is_nothing)
                }
                (At::Line { kind, number, is_negative, .. }, digit @ b'0'..=b'9') => {
                    let number = number.unwrap_or(0).saturating_mul(10).saturating_add(u64::from(digit - b'0'));
                    At::Line { kind, number: Some(number), is_negative, after_return: false }
                }
                (At::Line { kind, number, is_negative, .. }, other) => {
                    let (is_negative, after_return) = (is_negative || *other == b'-', *other == b'\r');
                    At::Line { kind, number, is_negative, after_return }
                }
                (At::Type | At::Text { .. }, kind) => {
                    At::Line { kind: *kind, number: None, is_negative: false, after_return: false }
                }
            };
            bytes = rest;
        }
    }

    /// The first line of an element has ended.
    fn begins(&mut self, kind: u8, number: u64, is_nothing: bool) -> At {
        self.begun += 1;
        self.promised = self.promised.saturating_sub(1);
        let (elements, text) = match kind {
            b'*' | b'~' | b'>' => (number, None),
            b'%' => (number.saturating_mul(2), None),
            b'|' => (number.saturating_mul(2).saturating_add(1), None),
            b'$' | b'!' | b'=' if !is_nothing => (0, Some(number.saturating_add(2))),
            _ => (0, None),
        };
        self.promised = self.promised.saturating_add(elements);
        self.is_over |= self.begun.saturating_add(self.promised) > REDIS_ANSWER_ELEMENTS;
        match text {
            Some(left) => At::Text { left },
            None => self.next(),
        }
    }

    fn goes_on_in_text(&mut self, left: u64) {
        self.at = if left > 0 { At::Text { left } } else { self.next() };
    }

    /// What follows an element, perhaps the last of its answer.
    fn next(&mut self) -> At {
        if self.promised == 0 {
            self.begun = 0;
        }
        At::Type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether any of these bytes is too much, however they are cut.
    fn is_over(bytes: &[u8]) -> bool {
        let (mut whole, mut bytewise) = (Count::default(), Count::default());
        whole.take(bytes);
        bytes.iter().for_each(|byte| bytewise.take(&[*byte]));
        assert_eq!(whole.is_over, bytewise.is_over);
        whole.is_over
    }

    #[test]
    fn an_answer_may_have_so_many_elements_and_the_next_one_as_many() {
        let list = |elements: u64| format!("*{elements}\r\n{}", ":1\r\n".repeat(usize::try_from(elements).unwrap()));
        // The list is an element itself.
        let most = list(REDIS_ANSWER_ELEMENTS - 1);
        assert!(!is_over(most.repeat(3).as_bytes()));
        assert!(is_over(list(REDIS_ANSWER_ELEMENTS).as_bytes()));
    }

    #[test]
    fn what_is_only_promised_counts_already_and_so_do_lists_in_lists() {
        assert!(is_over(format!("*{REDIS_ANSWER_ELEMENTS}\r\n").as_bytes()));
        assert!(is_over(format!("%{}\r\n", REDIS_ANSWER_ELEMENTS / 2).as_bytes()));
        let half = REDIS_ANSWER_ELEMENTS / 2;
        assert!(!is_over(format!("*{half}\r\n").as_bytes()));
        assert!(is_over(format!("*{half}\r\n*{half}\r\n").as_bytes()));
        assert!(is_over(b"*99999999999999999999999999\r\n"));
    }

    #[test]
    fn what_a_text_holds_is_not_taken_for_an_element() {
        let text = format!("*{REDIS_ANSWER_ELEMENTS}\r\n");
        let answers =
            format!("*2\r\n${}\r\n{text}\r\n$-1\r\n+OK\r\n-ERR no\r\n*-1\r\n*0\r\n$0\r\n\r\n:7\r\n", text.len());
        assert!(!is_over(answers.as_bytes()));
        assert!(is_over(format!("{answers}{text}").as_bytes()), "it is still known where an answer begins");
    }

    #[test]
    fn a_line_ends_where_the_parser_has_it_end_and_a_length_of_minus_zero_is_none() {
        let list = format!("*{REDIS_ANSWER_ELEMENTS}\r\n");
        for answer in [format!("+a\n{list}"), format!("-ERR\n\n{list}"), format!("+a\r{list}")] {
            assert!(!is_over(answer.as_bytes()), "{answer:?} is one line");
        }
        assert!(!is_over(format!("$-0\r\n\r\n+{list}").as_bytes()));
        assert!(is_over(format!("$-0\r\n\r\n{list}").as_bytes()));
    }
}

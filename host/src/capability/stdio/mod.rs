//! What a guest prints becomes log lines.

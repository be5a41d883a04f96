//! The wire format of protocol buffers, as far as a SentencePiece model needs it.

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// An integer, a boolean or an enumeration.
    Number(u64),
    /// A `float`.
    Float(f32),
    /// A string, bytes or a message.
    Bytes(&'a [u8]),
    /// A field of 64 fixed bits, which SentencePiece does not use.
    Other,
}

/// The fields of a message with their numbers, in file order.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => {
                self.take(8)?;
                Value::Other
            }
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    /// Seven bits per byte, the lowest first; the highest bit says that more follow.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    /// `None` within: the message is cut off or no message at all.
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[]; // What follows has no meaning.
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
        Fields::new(message).collect()
    }

    #[test]
    fn numbers_floats_and_bytes_are_told_apart() {
        let message = [0x08, 0x96, 0x01, 0x15, 0, 0, 0x20, 0xc0, 0x1a, 2, b'h', b'i'];
        assert_eq!(
            fields(&message),
            Some(vec![
                (1, Value::Number(150)),
                (2, Value::Float(-2.5)),
                (3, Value::Bytes(b"hi"))
            ])
        );
    }

    #[test]
    fn a_message_that_is_cut_off_is_none() {
        assert_eq!(fields(&[0x1a, 5, b'h', b'i']), None);
        assert_eq!(fields(&[0x15, 0]), None);
        assert_eq!(fields(&[0x08, 0x96]), None);
        assert_eq!(
            fields(&[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1
            ]),
            None
        );
    }
}

//! How much is tried.

use std::cell::Cell;

use bytes::Bytes;
use http::request::Parts;

/// The most that is tried for one request, in bytes that are signed for it: about a millisecond. What else a try costs
/// counts as 1,536 bytes, and a check with a public key as 100 KiB more.
///
/// Of a short request, several hundred slips are tried; of a body of 4 KiB a hundred, and of 64 KiB a dozen: the
/// likeliest.
///
/// ```
/// assert_eq!(tower_sso::explain::MOST_WORK, 1024 * 1024);
/// ```
pub const MOST_WORK: usize = 1024 * 1024;

/// What a try costs besides: another request or setting, which is read again.
const EACH_TRY: usize = 1_536;

/// What a check with one more key costs besides.
const EACH_KEY: usize = 512;

/// What a check with a public key costs besides: some 0.1 ms.
const EACH_PUBLIC_KEY: usize = 100 * 1024;

/// What has to be left for the suspects that come later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    /// Another setting of the form.
    Settings,
    /// Another spelling of the tenant's own secrets.
    Secrets,
    /// Another request.
    Requests,
    /// The keys of others.
    Others,
}

impl Share {
    const fn reserve(self) -> usize {
        match self {
            Self::Settings => MOST_WORK / 2,
            Self::Secrets => MOST_WORK * 3 / 8,
            Self::Requests => MOST_WORK / 8,
            Self::Others => 0,
        }
    }
}

/// What may still be tried.
pub(super) struct Work {
    left: Cell<usize>,
    each_check: usize,
}

impl Work {
    /// `with_public_keys`: whether that is what the form checks with.
    pub(super) fn new(with_public_keys: bool) -> Self {
        Self { left: Cell::new(MOST_WORK), each_check: if with_public_keys { EACH_PUBLIC_KEY } else { 0 } }
    }

    /// Whether this request may be read and checked too. Writing another body takes twice as long as signing it.
    pub(super) fn may_try(&self, head: &Parts, body: &Bytes, is_written: bool, share: Share) -> bool {
        let written = if is_written { 2 * body.len() } else { 0 };
        self.take(EACH_TRY + self.each_check + length(head, body) + written, share)
    }

    /// Whether a request that was read may be checked with one more key.
    pub(super) fn may_check(&self, head: &Parts, body: &Bytes, share: Share) -> bool {
        self.take(EACH_KEY + self.each_check + length(head, body), share)
    }

    fn take(&self, bytes: usize, share: Share) -> bool {
        let left = self.left.get().checked_sub(bytes).filter(|left| *left >= share.reserve());
        left.inspect(|left| self.left.set(*left)).is_some()
    }
}

fn length(head: &Parts, body: &Bytes) -> usize {
    head.uri.query().map_or(0, str::len) + body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_public_keys_are_tried() {
        let (head, ()) = http::Request::new(()).into_parts();
        let tried = |with_public_keys| {
            let work = Work::new(with_public_keys);
            (0..10_000).take_while(|_| work.may_check(&head, &Bytes::new(), Share::Others)).count()
        };
        assert_eq!((tried(false), tried(true)), (2_048, 10));
    }
}

/// What may stand after `Authorization: Bearer`.
enum BearerToken {
    /// What to do about one that may not.
    static let fix = "a token is one line of letters, digits and punctuation; make one with `kubectl create token`"

    /// Whether a text may be sent as a token: printable ASCII without space, at most 64 KiB.
    static func isSound(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 << 10 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}

/// The parts of a request target (RFC 9112 3.2): a path, an absolute `http` URI, or `*`. CONNECT's form never gets here.
struct RequestTarget {
    /// The authority of an absolute URI.
    let authority: Range<Int>?
    /// The path with query.
    let path: Range<Int>
    /// `RequestHead.pathHasOtherForms`.
    let hasOtherForms: Bool

    /// Checks a target that has no byte below 0x21 or above 0x7E.
    init(_ bytes: Span<UInt8>, _ target: Range<Int>, method: RequestHead.Method) throws(Refusal) {
        let first = bytes[target.lowerBound]
        if first == Byte.slash {
            authority = nil
            path = target
        } else if first == Byte.asterisk, target.count == 1 {
            guard method == .options else { throw .targetForm }
            (authority, path, hasOtherForms) = (nil, target, false)
            return
        } else {
            guard target.count > 7, bytes.isText("http://", at: target.lowerBound..<target.lowerBound + 7) else {
                throw .targetForm
            }
            let start = target.lowerBound + 7
            var end = start
            while end < target.upperBound, bytes[end] != Byte.slash, bytes[end] != Byte.questionMark { end += 1 }
            // An empty path means "/" (RFC 9110 4.2.3), but servers forward or match it in different ways.
            guard end < target.upperBound, bytes[end] == Byte.slash else { throw .targetForm }
            guard HostText.isValid(bytes, start..<end) else { throw .hostSyntax }
            authority = start..<end
            path = end..<target.upperBound
        }
        hasOtherForms = try RequestTarget.check(bytes, path)
    }

    /// Checks a path with query; whether it has other forms.
    private static func check(_ bytes: Span<UInt8>, _ path: Range<Int>) throws(Refusal) -> Bool {
        var hasOtherForms = false
        var segment = PathSegment()
        var at = path.lowerBound
        let (plain, allowed) = (ByteClass.plainPath, ByteClass.path)
        while at < path.upperBound, bytes[at] != Byte.questionMark {
            // Most of a path is names.
            let end = min(plain.end(in: bytes, from: at), path.upperBound)
            if end > at {
                segment.take(plain: end - at)
                at = end
                continue
            }
            var byte = bytes[at]
            var width = 1
            if byte == Byte.percent {
                guard at + 2 < path.upperBound, let high = Byte.hexadecimal(bytes[at + 1]),
                    let low = Byte.hexadecimal(bytes[at + 2])
                else { throw .targetEscape }
                byte = high << 4 | low
                guard byte >= 0x20, byte != 0x7f else { throw .targetEscape }
                width = 3
                hasOtherForms = hasOtherForms || PathSegment.isSeparator(byte) || ByteClass.unreserved.contains(byte)
            } else {
                guard allowed.contains(byte) else { throw .targetCharacter }
                if byte == Byte.slash, at > path.lowerBound, bytes[at - 1] == Byte.slash { hasOtherForms = true }
            }
            try segment.take(byte, isEscaped: width == 3)
            at += width
        }
        try segment.end()
        guard at == path.upperBound || ByteClass.query.end(in: bytes, from: at) >= path.upperBound else {
            throw .targetCharacter
        }
        return hasOtherForms
    }
}

internal import HTTPScan
internal import PolicyIR

/// A header condition of a rule, over bytes.
struct HeaderMatching: Sendable {
    /// The condition as the rule has it.
    let condition: HeaderCondition
    /// The name in lower case.
    private let name: [UInt8]
    private let value: [UInt8]?
    private let isHost: Bool
    /// The name as gateways read it (`FoldedName`).
    let foldedName: [UInt8]

    /// `nil` for an action whose name or value cannot stand in a head: the rule then matches nothing.
    init?(_ condition: HeaderCondition) {
        self.condition = condition
        name = condition.name.utf8.map(HeaderMatching.lower)
        value = condition.value.map { Array($0.utf8) }
        isHost = name == Array("host".utf8)
        foldedName = FoldedName.of(name)
        if condition.action != nil {
            guard !name.isEmpty, name.allSatisfy(HeadText.isToken), (value ?? []).allSatisfy(HeadText.isText) else {
                return nil
            }
        }
    }

    /// Whether a request meets the condition. "Several fields of one name are one field with a comma between the values". None does that has
    /// a field which gateways read as this one (`X_User` for `X-User`): its server may see that value.
    func accepts(_ bytes: Span<UInt8>, _ head: RequestHead) -> Bool {
        guard !condition.isUnknown else { return false }
        if isHost {
            return !head.host.isEmpty && (value.map { HeaderMatching.isEqual(bytes, head.host, $0) } ?? true)
        }
        var cursor = FieldCursor(head.fields)
        var matched = 0
        var found = false
        if isDisguised(bytes, head) { return false }
        while let field = cursor.next(bytes) {
            guard isName(bytes, field.name) else { continue }
            guard let value else { return true }
            // The values so far, with a comma before each further one, must be the beginning of the expected one.
            if found {
                guard matched < value.count, value[matched] == UInt8(ascii: ",") else { return false }
                matched += 1
            }
            guard field.value.count <= value.count - matched else { return false }
            for index in field.value {
                guard bytes[index] == value[matched] else { return false }
                matched += 1
            }
            found = true
        }
        return found && matched == (value?.count ?? 0)
    }

    /// Whether a request has a field that only gateways read as this one.
    private func isDisguised(_ bytes: Span<UInt8>, _ head: RequestHead) -> Bool {
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes) {
            if FoldedName.is(bytes, field.name, foldedName), !isName(bytes, field.name) { return true }
        }
        return false
    }

    /// Whether a request has the header, or one that gateways read as it.
    func isPresent(_ bytes: Span<UInt8>, _ head: RequestHead) -> Bool {
        if isHost { return !head.host.isEmpty }
        var cursor = FieldCursor(head.fields)
        while let field = cursor.next(bytes) { if FoldedName.is(bytes, field.name, foldedName) { return true } }
        return false
    }

    private func isName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == name.count else { return false }
        for index in 0..<name.count where HeaderMatching.lower(bytes[range.lowerBound + index]) != name[index] {
            return false
        }
        return true
    }

    private static func isEqual(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: [UInt8]) -> Bool {
        guard range.count == text.count else { return false }
        for index in 0..<text.count where bytes[range.lowerBound + index] != text[index] { return false }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

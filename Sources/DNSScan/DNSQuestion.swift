/// The question of a DNS message that has exactly one, with its name written out.
public struct DNSQuestion: Hashable, Sendable {
    /// The message's id.
    public let id: UInt16
    /// The name as on the wire, labels with their lengths and the root's, upper case letters of ASCII folded; at most 255 bytes.
    public let name: [UInt8]
    /// QTYPE.
    public let type: UInt16
    /// QCLASS.
    public let queryClass: UInt16
    /// Where the message goes on behind the question, bytes from its start.
    public let end: Int

    /// The labels of the name, folded; none of the root name.
    public var labels: [[UInt8]] {
        var labels: [[UInt8]] = []
        var rest = name[...]
        while let length = rest.first, length > 0 {
            labels.append(Array(rest.dropFirst().prefix(Int(length))))
            rest = rest.dropFirst(1 + Int(length))
        }
        return labels
    }

    /// Reads it; `nil` when there is none that is exactly so. The header's flags and counts of records are for the caller.
    init?(message: [UInt8], limit: Int = DNSLimits.messageBytes) {
        guard message.count >= DNSLimits.headerBytes, message.count <= limit,
            message.short(at: 4) == 1
        else { return nil }
        var name: [UInt8] = []
        var at = DNSLimits.headerBytes
        while true {
            guard at < message.count, message[at] <= DNSLimits.labelBytes else { return nil }
            let next = at + 1 + Int(message[at])
            guard next <= message.count, name.count + next - at <= DNSLimits.nameBytes else { return nil }
            name.append(message[at])
            name += message[at + 1..<next].map(folded)
            guard next > at + 1 else { break }
            at = next
        }
        end = at + 5
        guard end <= message.count else { return nil }
        self.name = name
        id = message.short(at: 0)
        type = message.short(at: at + 1)
        queryClass = message.short(at: at + 3)
    }
}

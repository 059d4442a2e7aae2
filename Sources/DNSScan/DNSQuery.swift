/// A DNS query: one question, and behind it nothing but EDNS.
public struct DNSQuery: Hashable, Sendable {
    /// What is asked.
    public let question: DNSQuestion

    /// Reads a datagram's message; `nil` when it is not exactly a query.
    public init?(message: [UInt8]) { self.init(message, limit: DNSLimits.messageBytes) }

    /// Reads a message of a TCP connection, without its length, which may be longer than what the kernel reads of a
    /// datagram; `nil` when it is not exactly a query.
    public init?(streamMessage: [UInt8]) { self.init(streamMessage, limit: DNSLimits.streamMessageBytes) }

    private init?(_ message: [UInt8], limit: Int) {
        // Not a response, opcode 0, not truncated, code 0; no records but one in the last section.
        guard message.count >= DNSLimits.headerBytes, message[2] & 0xfa == 0, message[3] & 0x0f == 0,
            message.short(at: 6) == 0, message.short(at: 8) == 0,
            let question = DNSQuestion(message: message, limit: limit)
        else { return nil }
        let at = question.end
        switch message.short(at: 10) {
        case 0:
            guard at == message.count else { return nil }
        case 1:
            guard at + 11 <= message.count, message[at] == 0, message.short(at: at + 1) == DNSType.opt,
                at + 11 + Int(message.short(at: at + 9)) == message.count
            else { return nil }
        default: return nil
        }
        self.question = question
    }
}

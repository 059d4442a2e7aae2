import NetTypes
import PolicyIR
import SystemPackage

/// One request of a probe and what becomes of it, without a socket.
struct Conversation {
    /// The bytes that the client sends.
    let opening: [UInt8]
    /// Whether it goes over TCP.
    let isTCP: Bool
    private let request: ProbeRequest
    private let id: UInt16
    private var heard: [UInt8] = []

    /// The conversation of a probe.
    init(_ probe: Probe) {
        isTCP = probe.protocol == .tcp
        request = probe.request
        id = UInt16.random(in: 0 ... .max)
        switch probe.request {
        case .greeting, .spokenGreeting: opening = Responder.question
        case .request(.http(let request)): opening = HTTPMessage.request(request)
        case .request(.serverName(let name)): opening = TLSMessage.clientHello(name)
        case .request(.dns(let name)):
            let query = DNSMessage.query(name, isIPv4: probe.destination.isIPv4, id: id)
            opening = isTCP ? [UInt8(query.count >> 8), UInt8(query.count & 0xff)] + query : query
        }
    }

    /// The outcome after something more was received (nothing: the other end has closed), or an error; `nil` when more must come.
    mutating func take(_ received: Result<[UInt8], Errno>) -> ProbeOutcome? {
        let bytes: [UInt8]
        switch received {
        case .success(let some): bytes = some
        case .failure(let failure):
            // A handshake that policies end is reset once its name is known.
            if failure == .connectionReset, case .request(.serverName) = request { return .denied("reset") }
            return Prober.outcome(of: failure)
        }
        heard += bytes
        let isClosed = bytes.isEmpty
        switch request {
        case .greeting, .spokenGreeting:
            guard isClosed || heard.last == UInt8(ascii: "\n") else { return nil }
            return .answered(by: Conversation.name(in: String(decoding: heard, as: UTF8.self)))
        case .request(.http):
            guard let (status, body) = HTTPMessage.parse(heard, isClosed: isClosed) else {
                return isClosed ? .denied("closed") : nil
            }
            if status == 403 { return .denied("403") }
            return .answered(by: status == 200 ? Conversation.name(in: body) : "HTTP status \(status)")
        case .request(.serverName):
            if heard.starts(with: TLSMessage.alert) {
                let words = String(decoding: heard.dropFirst(TLSMessage.alert.count), as: UTF8.self)
                return words.hasSuffix("\n") || isClosed ? .answered(by: Conversation.name(in: words)) : nil
            }
            return isClosed ? .denied("closed") : nil
        case .request(.dns):
            let message = isTCP ? Array(heard.dropFirst(2)) : heard
            guard !isTCP || (heard.count > 2 && message.count >= Int(heard[0]) << 8 | Int(heard[1])) else {
                return isClosed ? .denied("closed") : nil
            }
            switch DNSMessage.parse(message, id: id) {
            case .addresses(let addresses): return .resolved(addresses)
            case .refused(let code): return .denied(code)
            case .truncated where !isTCP: return .truncated
            case .truncated, nil: return .answered(by: Responder.nobody)
            }
        }
    }

    /// The name in a responder's greeting; `Responder.nobody` in other words.
    static func name(in words: String) -> String {
        guard words.hasPrefix(Responder.greeting), words.hasSuffix("\n") else { return Responder.nobody }
        return String(words.dropFirst(Responder.greeting.count).dropLast())
    }
}

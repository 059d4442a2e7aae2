public import PolicyIR

/// What a probe says once it has somebody to say it to.
public enum ProbeRequest: Hashable, Sendable {
    /// Nothing over TCP, where the responder speaks first; over UDP and ICMP it asks for an answer.
    case greeting
    /// Asks for the greeting over TCP too: of servers that wait for their client.
    case spokenGreeting
    /// An HTTP request, a DNS query (for addresses of the family it is sent over), or a TLS handshake's first message.
    case request(L7Request)

    /// Whether the client sends first.
    var isSpoken: Bool { self != .greeting }
}

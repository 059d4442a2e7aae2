internal import DNSScan
internal import NIOCore
internal import ProxyRules

// DNS over TCP: each message of the client is read exactly and decided before a byte of it is forwarded. What is allowed is forwarded as it
// came, what is denied is answered REFUSED, and a message that is not exactly a query ends the connection. The server's messages are forwarded
// whole, so that an answer of the proxy's own never stands inside one; they are not read: addresses in them are not learnt for `toFQDNs`, as
// those in datagrams are.
extension ProxyConnection {
    /// Decides what the client sent as far as it goes.
    func takeQueries() {
        while phase == .dns {
            let waiting = fromClient
            guard let bytes = DNSExchange.take(&fromClient) else {
                if fromClient.readableBytes == 0 {
                    headSince = nil
                } else if headSince == nil {
                    headSince = .now()
                }
                return
            }
            let message = Array(bytes.readableBytesView.dropFirst(2))
            headSince = nil
            guard let query = DNSQuery(streamMessage: message) else { return refuseMessage() }
            let name = QueryName.text(query.question.labels)
            let answer = currentRules().decide(query: name)
            if answer.isPermitted, !flow.isComplete {
                // The sender's end allows it; the receiver's is known when the server is connected.
                fromClient = waiting
                if server == nil, !isConnecting { connect() }
                return
            }
            if let record = shared.lines?.record(query: name, answer) {
                log(record, status: answer.isPermitted ? 0 : 5, since: .now())
            }
            if answer.isPermitted {
                shared.counters.allowed += 1
                dns.asked()
                send(bytes)
            } else {
                shared.counters.denied += 1
                toClient.write(DNSExchange.refusal(of: bytes))
            }
        }
    }

    /// A message that is not exactly a query: nothing of it reaches the server, nor anything behind it.
    private func refuseMessage() {
        shared.counters.badQueries += 1
        if let record = shared.lines?.recordOfNoQuery() { log(record, status: 0, since: .now()) }
        linger()
    }

    /// The client sends nothing more. What the server owes it still gets.
    func endQueries() {
        guard !isConnecting else { return }
        // A message that never gets its rest.
        guard fromClient.readableBytes == 0 else { return abort() }
        guard let server else { return linger() }
        guard !dns.hasPassedEnd else { return }
        dns.hasPassedEnd = true
        server.close(mode: .output, promise: nil)
    }

    /// Forwards what the server sent, as far as its messages are whole.
    func takeDNSAnswers() {
        while phase == .dns, let message = DNSExchange.take(&fromServer) {
            dns.answered()
            toClient.write(message)
        }
    }

    /// The server sends nothing more.
    func endDNSAnswers() {
        // A message that was cut must not look complete.
        if fromServer.readableBytes > 0 { abort() } else { linger() }
    }
}

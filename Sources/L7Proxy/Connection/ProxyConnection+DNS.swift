internal import DNSScan
internal import NIOCore
internal import ProxyRules

// DNS over TCP: each message of the client is read exactly and decided before a byte of it is forwarded. What is allowed is forwarded as it
// came, what is denied is answered REFUSED, and a message that is not exactly a query ends the connection. The server's messages are forwarded
// whole, so that an answer of the proxy's own never stands inside one; what they say to queries that rules of the client's pod allow is
// learnt before they are (`AnswerLearner`), as from datagrams.
extension ProxyConnection {
    /// Decides what the client sent as far as it goes.
    func takeQueries() {
        var left = DNSExchange.messagesOfTurn
        while phase == .dns {
            let waiting = fromClient
            guard left > 0 else { return takeRestLater() }
            left -= 1
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
                undecided = shared.lines?.record(query: name, answer)
                if server == nil, !isConnecting { connect() }
                return
            }
            undecided = nil
            if let record = shared.lines?.record(query: name, answer) {
                log(record, status: answer.isPermitted ? 0 : 5, since: .now())
            }
            if answer.isPermitted {
                shared.counters.allowed += 1
                dns.asked(isLearnt ? query.question : nil)
                send(bytes)
            } else {
                shared.counters.denied += 1
                toClient.write(DNSExchange.refusal(of: bytes))
            }
        }
    }

    /// Whether answers are learnt from: those to queries that DNS rules of the client's own pod allow.
    private var isLearnt: Bool {
        shared.learner != nil && shared.book.isDNS(egress: flow.egress, ingress: nil)
    }

    /// A message that is not exactly a query: nothing of it reaches the server, nor anything behind it.
    private func refuseMessage() {
        shared.counters.badQueries += 1
        if let record = shared.lines?.recordOfNoQuery() { log(record, status: 0, since: .now()) }
        linger()
    }

    /// The client sends nothing more. What the server owes it still gets.
    func endQueries() {
        guard !isConnecting, !isTurnDue else { return }
        // A message that never gets its rest.
        guard fromClient.readableBytes == 0 else { return abort() }
        guard let server else { return linger() }
        guard !dns.hasPassedEnd else { return }
        dns.hasPassedEnd = true
        server.close(mode: .output, promise: nil)
    }

    /// Forwards what the server sent, as far as its messages are whole, those of a turn at once.
    func takeDNSAnswers() {
        var answers: ByteBuffer?
        var left = DNSExchange.messagesOfTurn
        while phase == .dns, let message = DNSExchange.take(&fromServer) {
            dns.answered()
            guard message.readableBytes >= DNSExchange.leastMessage, heed(message) else {
                if message.readableBytes < DNSExchange.leastMessage { shared.counters.badResponses += 1 }
                if let answers { toClient.write(answers) }
                return abort()
            }
            if answers?.writeImmutableBuffer(message) == nil { answers = message }
            left -= 1
            guard left > 0 else {
                takeRestLater()
                break
            }
        }
        if let answers { toClient.write(answers) }
    }

    /// Lets other connections of the loop have their turn before the rest of what came; nothing more is read until then.
    private func takeRestLater() {
        guard !isTurnDue else { return }
        isTurnDue = true
        shared.loop.assumeIsolated().execute {
            self.isTurnDue = false
            self.takeQueries()
            self.takeDNSAnswers()
            if self.phase == .dns, self.clientEnded { self.endQueries() }
            if self.phase == .dns, self.serverEnded { self.endDNSAnswers() }
            self.readOn()
        }
    }

    /// Learns from an answer, if one is waited for; whether the client may have it. Where answers are learnt from, what answers nothing
    /// that was asked is as inexact as what cannot be read.
    private func heed(_ message: ByteBuffer) -> Bool {
        guard let learner = shared.learner, isLearnt || !dns.questions.isEmpty else { return true }
        let bytes = Array(message.readableBytesView.dropFirst(2))
        guard let answer = DNSAnswer(message: bytes), dns.takes(answer.question) else {
            shared.counters.unlearnt += 1
            return !learner.dropsInexact
        }
        switch answer.lesson {
        case .nothing: return true
        case .addresses, .inexact: break
        }
        let name = QueryName.text(answer.question.labels)
        let columns = flow.egress.flatMap { shared.book.columns(of: $0.policy, for: name) }
        switch learner.learn(bytes, of: clientAddress, to: localAddress, for: columns) {
        case .learnt: shared.counters.learnt += 1
        case .unlearnt: shared.counters.unlearnt += 1
        case .withheld:
            shared.counters.unlearnt += 1
            return false
        }
        return true
    }

    /// The server sends nothing more.
    func endDNSAnswers() {
        guard !isTurnDue else { return }
        // A message that was cut must not look complete.
        if fromServer.readableBytes > 0 { abort() } else { linger() }
    }
}

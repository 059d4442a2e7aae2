internal import DNSScan
internal import NIOCore

/// What is under way on a connection that carries DNS over TCP (RFC 1035 4.2.2: messages behind their length in two bytes).
struct DNSExchange {
    /// Queries that were forwarded and have no answer yet. A server that answers one with several messages, as zone transfers do, makes
    /// it smaller than it is.
    private(set) var owed = 0
    /// Questions from whose answers is learnt, and that have none yet: the latest `mostQuestions`.
    private(set) var questions: [DNSQuestion] = []
    /// A client that has more of them under way learns from no more.
    static let mostQuestions = 256
    /// Messages of a side that are taken before other connections have their turn.
    static let messagesOfTurn = 64
    /// The length and a header: what is shorter is no message of DNS.
    static let leastMessage = 2 + 12
    /// Whether the end of the client's queries was passed on.
    var hasPassedEnd = false

    /// A query was forwarded.
    ///
    /// - Parameter question: What is learnt the answer to; `nil`: nothing is.
    mutating func asked(_ question: DNSQuestion?) {
        owed += 1
        guard let question else { return }
        if questions.count == DNSExchange.mostQuestions { questions.removeFirst() }
        questions.append(question)
    }

    /// Whether an answer to this question is learnt from: the first one is, id, name, type and class repeated.
    mutating func takes(_ question: DNSQuestion) -> Bool {
        guard let place = questions.firstIndex(of: question) else { return false }
        questions.remove(at: place)
        return true
    }

    /// A message of the server was forwarded.
    mutating func answered() { owed = max(0, owed - 1) }

    /// Takes the first whole message out of what came, with its length; `nil` when it is not all there. So at most 65,537 bytes and the
    /// last read wait for their rest.
    static func take(_ bytes: inout ByteBuffer) -> ByteBuffer? {
        guard let length = bytes.getInteger(at: bytes.readerIndex, as: UInt16.self),
            let message = bytes.readSlice(length: 2 + Int(length))
        else { return nil }
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
        return message
    }

    /// The answer to a query that no rule allows: REFUSED. As the kernel's own refusals it is the query with other flags: id, question and
    /// what extends it (EDNS) stay as they are.
    ///
    /// - Parameter query: An exact query, with its length.
    /// - Returns: The answer, with its length.
    static func refusal(of query: ByteBuffer) -> ByteBuffer {
        var answer = query
        let flags = answer.readerIndex + 4
        let asked = answer.getInteger(at: flags, as: UInt16.self) ?? 0
        // A response, recursion available, REFUSED; recursion desired and checking disabled as asked.
        answer.setInteger(0x8085 | asked & 0x0110, at: flags, as: UInt16.self)
        return answer
    }
}

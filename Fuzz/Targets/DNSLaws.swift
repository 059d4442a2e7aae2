import CDNSRead
import CNetpoldABI
import DNSScan

/// What the kernel's readers of DNS messages and the scanner must agree on.
enum DNSLaws {
    /// A law that does not hold.
    struct Broken: Error {
        var words: String
    }

    /// An input is a message, as it stands in a datagram: it is read as a query and as an answer, whatever it says of itself.
    static func check(_ message: [UInt8]) throws(Broken) {
        let isQuery = message.withUnsafeBufferPointer { np_native_query($0.baseAddress, UInt32($0.count)) != 0 }
        let query = DNSQuery(message: message)
        guard isQuery == (query != nil) else { throw Broken(words: "the kernel: query \(isQuery); not the scanner") }
        if let query { try compare(query.question) }

        let lesson = message.withUnsafeBufferPointer { np_native_answer($0.baseAddress, UInt32($0.count)) }
        let answer = DNSAnswer(message: message)
        switch (lesson, answer?.lesson) {
        case (Int32(NP_NATIVE_NO_RESPONSE.rawValue), nil): return
        case (Int32(NP_NATIVE_NONE.rawValue), .nothing), (Int32(NP_NATIVE_INEXACT.rawValue), .inexact): break
        case (Int32(NP_NATIVE_LEARNT.rawValue), .addresses(let addresses, let timeToLive)):
            let read = np_native_message().pointee
            let here = (0..<read.count).map { index -> [UInt8] in
                let place = np_native_place(index)
                let at = Int(place & 0x7fff)
                return Array(message[at..<at + (place & 0x8000 != 0 ? 4 : 16)])
            }
            guard here == addresses else { throw Broken(words: "the kernel: \(here), the scanner: \(addresses)") }
            guard read.ttl == timeToLive else { throw Broken(words: "the kernel: \(read.ttl) s, not \(timeToLive)") }
        default:
            throw Broken(words: "the kernel: \(lesson), the scanner: \(answer.map { "\($0.lesson)" } ?? "no response")")
        }
        if let answer { try compare(answer.question) }
    }

    private static func compare(_ question: DNSQuestion) throws(Broken) {
        let read = np_native_message().pointee
        let name = withUnsafeBytes(of: read.name) { Array($0.prefix(Int(read.name_length))) }
        guard name == question.name, read.id == question.id, read.type == question.type,
            read.query_class == question.queryClass
        else {
            throw Broken(words: "the kernel: \(name) \(read.type) \(read.query_class), the scanner: \(question)")
        }
    }

    // MARK: seeds

    /// Queries with and without EDNS, and answers of all forms that owners and chains have.
    static let seeds: [[UInt8]] = {
        let name = labels("www", "example", "com")
        let question: [UInt8] = name + [0, 1, 0, 1]
        let v6 = name + [0, 28, 0, 1]
        let edns: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]
        func message(_ flags: UInt16, _ question: [UInt8], _ sections: [[[UInt8]]]) -> [UInt8] {
            var head: [UInt8] = [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff), 0, 1]
            for section in 0..<3 { head += [0, UInt8(section < sections.count ? sections[section].count : 0)] }
            return head + question + sections.joined().joined()
        }
        func record(_ owner: [UInt8], _ type: UInt8, _ data: [UInt8]) -> [UInt8] {
            owner + [0, type, 0, 1, 0, 0, 1, 44, UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
        }
        let here: [UInt8] = [0xc0, 12]
        let address: [UInt8] = [198, 51, 100, 7]
        let long: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        let alias = record(here, 5, labels("edge", "example", "net"))
        // Where the alias has its name, behind the header, the question and the record's fixed part.
        let there: [UInt8] = [0xc0, UInt8(12 + question.count + 12)]
        let second = record(there, 5, [3] + Array("cdn".utf8) + [0xc0, 16])
        return [
            message(0x0100, question, []), message(0x0120, v6, [[], [], [edns]]),
            message(0x8180, question, [[record(here, 1, address)]]),
            message(0x8180, question, [[record(name, 1, address), record(here, 1, [10, 1, 2, 3])], [], [edns]]),
            message(0x8180, v6, [[record(here, 28, long)]]),
            message(0x8180, question, [[alias, record(there, 1, address)]]),
            message(0x8180, question, [[alias, second, record(labels("cdn", "example", "com"), 1, address)]]),
            message(0x8180, question, [[alias, record(labels("EDGE", "example", "NET"), 1, address)]]),
            message(0x8183, question, [[], [record(labels("com"), 6, [0, 0] + [UInt8](repeating: 0, count: 20))]]),
            message(0x8180, question, [(0..<100).map { record(here, 1, [10, 0, 0, UInt8($0)]) }]),
        ]
    }()

    private static func labels(_ words: String...) -> [UInt8] {
        words.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}

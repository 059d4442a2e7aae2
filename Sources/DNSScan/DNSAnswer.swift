/// What a response to a DNS query teaches.
public enum DNSLesson: Hashable, Sendable {
    /// Addresses of the name that was asked for, in the order of the message: four or sixteen bytes each; and the shortest time to live
    /// of them and of the aliases that lead to them, seconds.
    case addresses([[UInt8]], timeToLive: UInt32)
    /// Nothing: it says that there are none, or not here, or was not asked for addresses.
    case nothing
    /// It is not exactly a response whose addresses follow the chain of aliases from the question.
    case inexact
}

/// A response to a DNS query.
public struct DNSAnswer: Hashable, Sendable {
    /// What was asked.
    public let question: DNSQuestion
    /// What it teaches.
    public let lesson: DNSLesson

    /// Reads a message; `nil` when it is not a response with one question.
    public init?(message: [UInt8]) {
        guard message.count >= DNSLimits.headerBytes, message[2] & 0xf8 == 0x80,
            let question = DNSQuestion(message: message)
        else { return nil }
        self.question = question
        let asksForAddresses = [DNSType.a, DNSType.aaaa, DNSType.any].contains(question.type)
        if message[2] & 0x02 != 0 || message[3] & 0x0f != 0 || question.queryClass != 1 || !asksForAddresses {
            lesson = .nothing
            return
        }
        var reader = RecordReader(message: message, question: question)
        guard reader.readAll() else {
            lesson = .inexact
            return
        }
        lesson =
            reader.addresses.isEmpty ? .nothing : .addresses(reader.addresses, timeToLive: reader.timeToLive)
    }
}

/// Reads the records of a response.
private struct RecordReader {
    let message: [UInt8]
    let question: DNSQuestion
    private(set) var addresses: [[UInt8]] = []
    private(set) var timeToLive: UInt32 = 0x7fff_ffff
    private var at: Int
    /// Where the name is that the next address must have.
    private var owner = DNSLimits.headerBytes
    private var steps = 0

    init(message: [UInt8], question: DNSQuestion) {
        self.message = message
        self.question = question
        at = question.end
    }

    mutating func readAll() -> Bool {
        let answers = Int(message.short(at: 6))
        let records = answers + Int(message.short(at: 8)) + Int(message.short(at: 10))
        guard records <= DNSLimits.records else { return false }
        for index in 0..<records {
            guard read(isAnswer: index < answers) else { return false }
        }
        return at == message.count
    }

    private mutating func read(isAnswer: Bool) -> Bool {
        let begin = at
        guard let fixed = end(ofNameAt: at), fixed + DNSLimits.fixedBytes <= message.count else { return false }
        let type = message.short(at: fixed)
        var time = UInt32(message.short(at: fixed + 4)) << 16 | UInt32(message.short(at: fixed + 6))
        let data = fixed + DNSLimits.fixedBytes
        at = data + Int(message.short(at: fixed + 8))
        guard at <= message.count else { return false }
        guard isAnswer else { return type != DNSType.opt || time >> 24 == 0 }
        guard [DNSType.a, DNSType.aaaa, DNSType.cname].contains(type) else { return true }
        guard message.short(at: fixed + 2) == 1, let name = place(ofNameAt: begin),
            name == owner || areSame(name, owner)
        else { return false }
        if time >> 31 != 0 { time = 0 }
        timeToLive = min(timeToLive, time)
        if type == DNSType.cname {
            guard addresses.isEmpty, end(ofNameAt: data) == at, let alias = place(ofNameAt: data) else { return false }
            owner = alias
            return true
        }
        guard at - data == (type == DNSType.a ? 4 : 16), type == question.type || question.type == DNSType.any
        else { return false }
        addresses.append(Array(message[data..<at]))
        return true
    }

    /// Where a name ends, which may end in a pointer.
    private func end(ofNameAt begin: Int) -> Int? {
        var at = begin
        for _ in 0..<DNSLimits.labels {
            guard at < message.count else { return nil }
            let length = message[at]
            if length >= DNSLimits.pointer { return at + 2 }
            guard length <= DNSLimits.labelBytes else { return nil }
            at += 1 + Int(length)
            if length == 0 { return at }
        }
        return nil
    }

    /// Where a pointer leads: back, and not into the header.
    private func target(ofPointerAt at: Int) -> Int? {
        let target = Int(message.short(at: at) & 0x3fff)
        return at + 1 < message.count && target < at && target >= DNSLimits.headerBytes ? target : nil
    }

    /// The offset of a name, or of what it consists of: a pointer alone.
    private func place(ofNameAt at: Int) -> Int? {
        message[at] >= DNSLimits.pointer ? target(ofPointerAt: at) : at
    }

    /// Whether two names are the same but for the case of letters.
    private mutating func areSame(_ first: Int, _ second: Int) -> Bool {
        var names = [first, second]
        var (left, jumps, length) = (0, 0, 0)
        while length < DNSLimits.nameBytes {
            if left == 0 {
                for which in 0...1 {
                    while names[which] < message.count, message[names[which]] >= DNSLimits.pointer {
                        jumps += 1
                        steps += 1
                        guard jumps <= DNSLimits.jumps, steps <= DNSLimits.steps,
                            let target = target(ofPointerAt: names[which])
                        else { return false }
                        names[which] = target
                    }
                }
            }
            steps += 1
            guard steps <= DNSLimits.steps, names.allSatisfy({ $0 < message.count }) else { return false }
            let (a, b) = (message[names[0]], message[names[1]])
            names = names.map { $0 + 1 }
            length += 1
            if left > 0 {
                guard folded(a) == folded(b) else { return false }
                left -= 1
            } else {
                guard a == b, a <= DNSLimits.labelBytes else { return false }
                if a == 0 { return true }
                left = Int(a)
            }
        }
        return false
    }
}

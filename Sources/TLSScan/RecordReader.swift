/// Why reading has stopped.
enum HelloStop: Error {
    /// At the end of what is there.
    case more
    case refused(HelloRefusal)
}

/// Reads a handshake message across the records that carry it.
struct RecordReader<Bytes: Collection<UInt8>> {
    private let bytes: Bytes
    private var index: Bytes.Index
    /// Bytes taken so far, headers of records counted in.
    private(set) var count = 0
    /// Bytes left of the record.
    private var record = 0
    /// Bytes left of the message, once its length is known.
    private var message: Int?

    init(_ bytes: Bytes) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    // MARK: bytes

    private mutating func raw() throws(HelloStop) -> UInt8 {
        guard index != bytes.endIndex else { throw .more }
        defer {
            bytes.formIndex(after: &index)
            count += 1
        }
        return bytes[index]
    }

    private mutating func header() throws(HelloStop) {
        guard try raw() == 22 else { throw .refused(.notHandshake) }
        guard try raw() == 3 else { throw .refused(.notHandshake) }
        _ = try raw()
        record = Int(try raw()) << 8
        record |= Int(try raw())
        guard (1...ClientHello.maximumRecord).contains(record) else { throw .refused(.recordLength) }
    }

    private mutating func byte() throws(HelloStop) -> Int {
        if let message {
            guard message > 0 else { throw .refused(.structure) }
        }
        if record == 0 { try header() }
        let byte = try raw()
        record -= 1
        if let message { self.message = message - 1 }
        return Int(byte)
    }

    private mutating func number(_ digits: Int) throws(HelloStop) -> Int {
        var number = 0
        for _ in 0..<digits { number = number << 8 | (try byte()) }
        return number
    }

    /// The number that says how long a vector of the message is, which must have so much left.
    private mutating func length(_ digits: Int, refusal: HelloRefusal = .structure) throws(HelloStop) -> Int {
        let length = try number(digits)
        guard length <= left else { throw .refused(refusal) }
        return length
    }

    private mutating func skip(_ count: Int) throws(HelloStop) {
        for _ in 0..<count { _ = try byte() }
    }

    private var left: Int { message ?? 0 }

    // MARK: the message

    mutating func clientHello() throws(HelloStop) -> ClientHello {
        guard try number(1) == 1 else { throw .refused(.notClientHello) }
        let total = try number(3)
        guard (1...ClientHello.maximumLength).contains(total) else { throw .refused(.length) }
        message = total
        guard try number(2) >> 8 == 3 else { throw .refused(.version) }
        guard left >= 32 else { throw .refused(.structure) }
        try skip(32)
        let session = try length(1)
        guard session <= 32 else { throw .refused(.structure) }
        try skip(session)
        let suites = try length(2)
        guard suites > 0, suites.isMultiple(of: 2) else { throw .refused(.structure) }
        try skip(suites)
        let methods = try length(1)
        guard methods > 0 else { throw .refused(.structure) }
        try skip(methods)
        let name = left == 0 ? nil : try extensions()
        guard record == 0 else { throw .refused(.excess) }
        return ClientHello(serverName: name, length: count)
    }

    private mutating func extensions() throws(HelloStop) -> String? {
        guard try number(2) == left else { throw .refused(.structure) }
        var name: String?
        while left > 0 {
            let type = try number(2)
            let size = try length(2)
            if type == 0 {
                guard name == nil else { throw .refused(.secondName) }
                name = try serverName(size)
            } else {
                try skip(size)
            }
        }
        return name
    }

    /// The extension server_name, of `size` bytes.
    private mutating func serverName(_ size: Int) throws(HelloStop) -> String {
        guard try number(2) == size - 2 else { throw .refused(.notHostName) }
        guard try number(1) == 0 else { throw .refused(.notHostName) }
        let length = try number(2)
        guard length == size - 5 else { throw .refused(.notHostName) }
        guard (1...ClientHello.maximumName).contains(length) else { throw .refused(.hostName) }
        var name: [UInt8] = []
        var label = 0
        for place in 1...length {
            let byte = UInt8(truncatingIfNeeded: try byte())
            if byte == UInt8(ascii: ".") {
                guard (1...ClientHello.maximumLabel).contains(label), place < length else { throw .refused(.hostName) }
                label = 0
            } else {
                label += 1
            }
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            name.append(isUpper ? byte | 0x20 : byte)
        }
        guard label <= ClientHello.maximumLabel else { throw .refused(.hostName) }
        return String(decoding: name, as: UTF8.self)
    }
}

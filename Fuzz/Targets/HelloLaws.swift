import CHelloRead
import CNetpoldABI
import TLSScan

/// What the kernel's reader of ClientHellos and the scanner must agree on, in segments of any sizes.
enum HelloLaws {
    /// A law that does not hold.
    struct Broken: Error {
        var words: String
    }

    /// The first byte of an input says how many segments there are, the next ones how long each is; the rest is the connection.
    static func check(_ input: [UInt8]) throws(Broken) {
        guard let count = input.first.map({ Int($0 & 7) }), input.count > count else { return }
        let sizes = input.dropFirst().prefix(count).map { Int($0) }
        // The steps that the kernel takes a packet bound its bytes.
        let bytes = Array(input.dropFirst(count + 1).prefix(4000))
        var hello = np_hello()
        np_native_begin(&hello)
        var begin = 0
        for size in sizes + [bytes.count] {
            let end = min(begin + size, bytes.count)
            let segment = Array(bytes[begin..<end])
            var read: UInt32 = 0
            let progress = segment.withUnsafeBufferPointer {
                np_native_read(&hello, $0.baseAddress, UInt32($0.count), &read)
            }
            switch (progress, ClientHello.scan(bytes[..<end])) {
            case (0, .more): break
            case (2, .refused): return
            case (1, .hello(let found)):
                guard found.length == begin + Int(read) else {
                    throw Broken(words: "\(begin + Int(read)) bytes, not \(found.length)")
                }
                guard name(of: hello) == found.serverName else {
                    throw Broken(words: "\(name(of: hello) ?? "no name"), not \(found.serverName ?? "none")")
                }
                return
            case (let other, let scan): throw Broken(words: "\(other) after \(end) bytes, not \(scan)")
            }
            begin = end
        }
    }

    private static func name(of hello: np_hello) -> String? {
        guard hello.name_length > 0 else { return nil }
        let wire = withUnsafeBytes(of: hello.name) { Array($0) }
        var text: [UInt8] = []
        var place = 0
        while wire[place] > 0 {
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            text += wire[(place + 1)...].prefix(Int(wire[place]))
            place += 1 + Int(wire[place])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

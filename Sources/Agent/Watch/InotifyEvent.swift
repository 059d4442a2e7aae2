import Glibc

/// One `struct inotify_event`.
struct InotifyEvent: Hashable {
    /// Number of the watch, -1 for an overflow of the queue.
    var watch: Int32
    /// `IN_*` bits.
    var mask: UInt32
    /// Name inside the watched folder, or empty.
    var name: String

    var isWrite: Bool { mask & UInt32(IN_MODIFY) != 0 }
    var isFinished: Bool {
        mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE) != 0
    }
    var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    var isWatchGone: Bool { mask & UInt32(IN_IGNORED) != 0 }

    /// The events of one read: watch, mask, cookie, length of the name (4 bytes each, host order), name padded with zeros.
    /// Stops at what is not a whole event.
    static func parse(_ bytes: ArraySlice<UInt8>) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var rest = bytes
        while rest.count >= 16 {
            let start = rest.startIndex
            let length = Int(word(rest, start + 12))
            guard rest.count >= 16 + length else { break }
            let name = rest[(start + 16)..<(start + 16 + length)].prefix { $0 != 0 }
            events.append(
                InotifyEvent(
                    watch: Int32(bitPattern: word(rest, start)), mask: word(rest, start + 4),
                    name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(16 + length)
        }
        return events
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ index: Int) -> UInt32 {
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
            | UInt32(bytes[index + 3]) << 24
    }
}

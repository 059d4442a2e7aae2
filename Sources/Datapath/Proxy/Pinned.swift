import Glibc
import Support
import Synchronization

/// What is pinned at a path, open: another agent puts another pin there, as when it is upgraded, and whoever goes on with what was there
/// before asks what nobody writes any more. Safe to use from any thread.
final class Pinned<Value: Sendable>: Sendable {
    /// Which pin is at a path.
    private struct Pin: Hashable {
        var inode: UInt64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private struct Opened {
        var pin: Pin
        var value: Value
        /// When the pin was looked at, ns of CLOCK_MONOTONIC_COARSE.
        var seen: UInt64
    }

    private let path: String
    private let open: @Sendable (consuming OwnedDescriptor) throws(BPFError) -> Value
    private let opened = Mutex<Opened?>(nil)

    /// What is at a path, once it is asked for. `open` makes it of the pinned object's descriptor, which is its own from then on.
    init(_ path: String, _ open: @escaping @Sendable (consuming OwnedDescriptor) throws(BPFError) -> Value) {
        self.path = path
        self.open = open
    }

    /// What is there now, or was at most `age` ns ago. While nothing is there, as between two agents, what was: its programs run still.
    func current(within age: UInt64 = 0) throws(BPFError) -> Value {
        let now = Pinned.now
        if age > 0, let known = opened.withLock({ $0.flatMap { now &- $0.seen < age ? $0.value : nil } }) {
            return known
        }
        let pin = Pin(path)
        let known = opened.withLock { opened -> Value? in
            guard let before = opened, pin == nil || before.pin == pin else { return nil }
            if pin != nil { opened?.seen = now }
            return before.value
        }
        if let known { return known }
        guard let pinned = try Libbpf.openPin(path) else {
            throw BPFError(.openPin, path, errno: .noSuchFileOrDirectory)
        }
        let value = try open(pinned)
        // Of a pin that has changed meanwhile nothing is kept.
        if let pin, pin == Pin(path) { opened.withLock { $0 = Opened(pin: pin, value: value, seen: now) } }
        return value
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

extension Pinned where Value == BPFMap {
    /// A map in a folder of pins. Asked for, one whose keys and values have other sizes throws.
    convenience init(map name: String, in folder: String, key: Int, value: Int) {
        let path = "\(folder)/\(name)"
        self.init(path) { (pinned: consuming OwnedDescriptor) throws(BPFError) in
            let map = try BPFMap(pinned, name: name)
            guard map.shape.keySize == key, map.shape.valueSize == value else {
                throw BPFError(.checkLayout, path, errno: .invalidArgument)
            }
            return map
        }
    }
}

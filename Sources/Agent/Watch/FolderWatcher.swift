import Foundation
import Glibc
public import Support
import Synchronization
import SystemPackage

/// Reports when anything below a folder changes, by inotify, on a thread of its own.
///
/// A report says no more than that: look again. So renames, link swaps, new folders and an overflow of the kernel's queue are
/// all the same. Ends with the process.
public final class FolderWatcher: Sendable {
    /// What is known of writers and changes.
    struct Activity: Sendable {
        /// Files written to a moment ago and not closed yet.
        var beingWritten: Set<String> = []
        /// Files written to and not closed yet, however long ago.
        var unfinished: Set<String> = []
        /// Paths at which something happened.
        var touched: Set<String> = []
        /// Whether something may have happened at any path.
        var isUnknown = false
    }

    private struct State {
        /// When each file that is open for writing was written to last.
        var writing: [String: Date] = [:]
        var touched: Set<String> = []
        var isUnknown = false

        mutating func take(_ event: InotifyEvent, at path: String) {
            guard touched.count < FolderWatcher.pathLimit, writing.count < FolderWatcher.pathLimit else {
                forget()
                return
            }
            touched.insert(path)
            if event.isWrite { writing[path] = Date() }
            if event.isFinished { writing[path] = nil }
        }

        mutating func forget() {
            writing = [:]
            touched = []
            isUnknown = true
        }
    }

    /// How long a file may stay "being written" without another write, seconds. A writer that never closes its file would
    /// otherwise keep it unread forever.
    static let patience: TimeInterval = 2
    /// How often to look even without an event, milliseconds: the file behind a link out of the folder makes no event.
    static let slowRound: Int32 = 10_000
    /// The most paths that are remembered.
    static let pathLimit = 100_000

    private let root: String
    private let descriptor: OwnedDescriptor
    private let state = Mutex(State())

    /// A watcher of `root`, which must be a folder; silent until `start`, but nothing that happens from now on is missed.
    public init(_ root: String) throws(SystemError) {
        self.root = root
        descriptor = OwnedDescriptor(
            rawValue: try SystemError.check("watch", root) { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) })
        var ignored: [Int32: String] = [:]
        try addWatches(&ignored)
    }

    /// What happened since the last call, and which files are being written.
    func takeActivity() -> Activity {
        let limit = Date(timeIntervalSinceNow: -FolderWatcher.patience)
        return state.withLock { state in
            defer {
                state.touched = []
                state.isUnknown = false
            }
            return Activity(
                beingWritten: Set(state.writing.filter { $0.value > limit }.keys), unfinished: Set(state.writing.keys),
                touched: state.touched, isUnknown: state.isUnknown)
        }
    }

    /// Starts to report. `changed` is called on the watcher's thread.
    public func start(_ changed: @escaping @Sendable () -> Void) throws(SystemError) {
        Thread.detachNewThread { self.run(changed) }
    }

    private func run(_ changed: () -> Void) {
        var folders: [Int32: String] = [:]
        try? addWatches(&folders)
        while true {
            var request = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            // While a file is being written its end of patience must be noticed too.
            let limit = Date(timeIntervalSinceNow: -FolderWatcher.patience - 1)
            let isWaiting = state.withLock { $0.writing.contains { $0.value > limit } }
            _ = poll(&request, 1, isWaiting ? 500 : FolderWatcher.slowRound)
            takeEvents(&folders)
            // New folders come without a watch; what they hold already is found by the caller's look.
            try? addWatches(&folders)
            changed()
        }
    }

    /// Watches every folder below the root; a folder watched already keeps its watch.
    private func addWatches(_ folders: inout [Int32: String]) throws(SystemError) {
        let mask =
            IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
            | IN_DELETE_SELF | IN_MOVE_SELF
        let listing = try FolderListing(root)
        for folder in listing.folders {
            let number = inotify_add_watch(descriptor.rawValue, folder, UInt32(mask) | UInt32(IN_ONLYDIR))
            if number >= 0 {
                folders[number] = folder
                continue
            }
            // One that has gone since it was listed needs no watch.
            let error = SystemError("watch", folder, .current)
            guard error.errno != .noSuchFileOrDirectory else { continue }
            throw SystemError(
                error.operation, folder, error.errno,
                hint: error.errno == .noSpace ? "raise fs.inotify.max_user_watches" : "")
        }
    }

    private func takeEvents(_ folders: inout [Int32: String]) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor.rawValue, &buffer, buffer.count)
            guard count > 0 else { return }
            for event in InotifyEvent.parse(buffer.prefix(count)) {
                // The kernel dropped events: perhaps the one that closes a file.
                if event.isOverflow { state.withLock { $0.forget() } }
                if event.isWatchGone { folders[event.watch] = nil }
                guard let folder = folders[event.watch], !event.name.isEmpty else { continue }
                let path = folder.hasSuffix("/") ? folder + event.name : "\(folder)/\(event.name)"
                state.withLock { $0.take(event, at: path) }
            }
        }
    }
}

import Foundation
import Glibc
public import Support
import Synchronization
import SystemPackage

/// Reports when anything below a folder changes, by inotify, on a thread of its own.
///
/// What changed is not part of a report: look again. So renames, link swaps, new folders and an overflow of the kernel's queue are all
/// the same. Ends with the process.
public final class FolderWatcher: Sendable {
    /// How long a file may stay "being written" without another write, seconds. A writer that never closes its file would
    /// otherwise keep it unread forever.
    static let patience: TimeInterval = 2
    /// How often to look even without an event, milliseconds: the file behind a link out of the folder makes no event.
    static let slowRound: Int32 = 10_000

    private let root: String
    private let descriptor: OwnedDescriptor
    private let writing = Mutex<[String: Date]>([:])

    /// A watcher of `root`, which must be a folder; silent until `start`, but nothing that happens from now on is missed.
    public init(_ root: String) throws(SystemError) {
        self.root = root
        descriptor = OwnedDescriptor(
            rawValue: try SystemError.check("watch", root) { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) })
        var ignored: [Int32: String] = [:]
        try addWatches(&ignored)
    }

    /// Files written to and not closed yet.
    public var filesBeingWritten: Set<String> {
        let limit = Date(timeIntervalSinceNow: -FolderWatcher.patience)
        return writing.withLock { Set($0.filter { $0.value > limit }.keys) }
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
            let wait = writing.withLock(\.isEmpty) ? FolderWatcher.slowRound : 500
            _ = poll(&request, 1, wait)
            takeEvents(&folders)
            // New folders come without a watch; what they hold already is found by the caller's look.
            try? addWatches(&folders)
            let limit = Date(timeIntervalSinceNow: -FolderWatcher.patience)
            writing.withLock { $0 = $0.filter { $0.value > limit } }
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
                if event.isWatchGone { folders[event.watch] = nil }
                guard let folder = folders[event.watch], !event.name.isEmpty else { continue }
                let path = folder.hasSuffix("/") ? folder + event.name : "\(folder)/\(event.name)"
                writing.withLock { writing in
                    if event.isWrite { writing[path] = Date() }
                    if event.isFinished { writing[path] = nil }
                }
            }
        }
    }
}

public import PolicyAPI
import Support

/// Follows a folder of manifests reading by reading: which texts are believed, which file is which under another name, and
/// what of it is in force. No I/O and no clock.
///
/// A folder is no database: files are written in place, replaced, moved, lost with their file system. So what was accepted
/// once goes only when the folder says so in a way that no accident does (docs/decisions/0018).
public struct FolderTracker: Sendable {
    /// What a reading changes.
    public struct Outcome: Sendable {
        /// What it changes, by key.
        public var events: [ObjectEvent]
        /// Objects that are not in force any more, sorted.
        public var dropped: [ObjectKey]
    }

    /// What is known of a file.
    private struct Tracked: Sendable {
        /// Which file it was when it was seen last.
        var birth: FileBirth?
        /// The texts that the next one is compared with: the last accepted one, and that of the file that this one replaced.
        var accepted: [FileText] = []
        /// A text that was not accepted, to know it again in a copy.
        var doubted: [UInt8]?
        /// What it is taken to say.
        var shown = ManifestFile()
        /// For an agent that comes after this one.
        var copy = FolderCopy()
    }

    private let wait: DeletionWait
    private var tracked: [String: Tracked] = [:]
    private var reducer: FolderReducer
    private var hasRead = false
    /// Counts copies that changed.
    private var serial: UInt64 = 0

    /// A folder that was not read yet.
    ///
    /// - Parameters:
    ///   - remembered: what an agent before this one had accepted, by path.
    ///   - wait: how long what is gone stays.
    public init(remembered: [String: FolderCopy] = [:], wait: DeletionWait = .standard) {
        self.wait = wait
        let good = remembered.compactMapValues(\.good?.content)
        let latest = good.merging(remembered.compactMapValues(\.latest?.content)) { _, latest in latest }
        reducer = FolderReducer(remembered: [good, latest])
        for (path, copy) in remembered {
            let text = copy.latest.flatMap { $0.content.isIncomplete ? nil : $0 } ?? copy.good
            tracked[path] = Tracked(
                birth: copy.birth, accepted: text.map { [$0] } ?? [], shown: latest[path] ?? ManifestFile(), copy: copy)
        }
    }

    /// What is odd about the folder as last read, sorted.
    public var conditions: [Condition] { reducer.conditions }
    /// When something changes without another event, on the clock of `absorb`; `nil` when nothing does.
    public var due: Duration? { reducer.due }
    /// Objects that are in force although the folder as read does not say so, sorted.
    public var kept: [ObjectKey] { reducer.kept }
    /// What an agent that comes after this one has to know, by path.
    public var copies: [String: FolderCopy] {
        tracked.compactMapValues { $0.copy.good == nil && $0.copy.latest == nil ? nil : $0.copy }
    }

    /// Takes a reading.
    ///
    /// - Parameters:
    ///   - reading: the folder as it is.
    ///   - time: when it was read, since any beginning.
    ///   - acceptsLoss: whether what is missing is meant to be missing.
    /// - Returns: what it changes.
    public mutating func absorb(_ reading: FolderReading, at time: Duration, acceptsLoss: Bool = false) -> Outcome {
        let moves = self.moves(to: reading)
        relabel(moves, reading)
        var view = FolderView(
            files: [:], moves: moves, touched: reading.touched, isFirst: !hasRead, isAfterGap: reading.isAfterGap,
            time: time,
            wait: wait == .none ? nil : wait, acceptsLoss: acceptsLoss)
        hasRead = true
        let doubts = acceptsLoss ? [:] : self.doubts(about: reading)
        for (path, file) in reading.files {
            take(path, file, doubts[path])
            if let known = tracked[path] { view.files[path] = known.shown }
        }
        if !reading.unseen.isEmpty {
            for (path, known) in tracked where reading.files[path] == nil && reading.hides(path) {
                view.files[path] = known.shown
            }
        }
        let before = reducer.inForce
        let events = reducer.absorb(view)
        forget(view)
        return Outcome(events: events, dropped: before.subtracting(reducer.inForce).sorted())
    }

    // MARK: files

    /// Which file went where: by its birth, or, for one that is not believed and is gone, by its bytes.
    private func moves(to reading: FolderReading) -> [String: String] {
        var byBirth: [FileBirth: String] = [:]
        var byBytes: [[UInt8]: String] = [:]
        for (path, known) in tracked {
            let now = reading.files[path]
            if let birth = known.birth, now?.birth != birth, !reading.hides(path) { byBirth[birth] = path }
            if let bytes = known.doubted, !bytes.isEmpty, now == nil { byBytes[bytes] = path }
        }
        guard !byBirth.isEmpty || !byBytes.isEmpty else { return [:] }
        var moves: [String: String] = [:]
        for (path, file) in reading.files.sorted(by: { $0.key < $1.key })
        where tracked[path] == nil || file.birth != tracked[path]?.birth {
            var from = file.birth.flatMap { byBirth[$0] }
            if from == nil, tracked[path] == nil, case .text(let text) = file.state { from = byBytes[text.bytes] }
            if let from, from != path, moves[from] == nil { moves[from] = path }
        }
        return moves
    }

    /// Gives files that moved what is known of them. What was at their new path, and went nowhere, is known of them too: they
    /// replace it.
    private mutating func relabel(_ moves: [String: String], _ reading: FolderReading) {
        guard !moves.isEmpty else { return }
        var moved: [String: Tracked] = [:]
        for (from, to) in moves { moved[to] = tracked[from] }
        for (from, _) in moves { tracked[from] = nil }
        for (path, var known) in moved {
            if let replaced = tracked[path] {
                known.accepted = replaced.accepted + known.accepted
                known.copy = replaced.copy
            }
            serial += 1
            known.copy.serial = serial
            tracked[path] = known
        }
    }

    /// The texts that are not believed, by path. Objects that are in a text which is believed have only moved, but for those of which it
    /// said something else all along.
    private func doubts(about reading: FolderReading) -> [String: Shrinking] {
        func doubts(_ isElsewhere: (ObjectKey) -> Bool, among paths: some Sequence<String>) -> [String: Shrinking] {
            var doubts: [String: Shrinking] = [:]
            for path in paths {
                guard let file = reading.files[path], case .text(let text) = file.state,
                    text.content.unreadable.isEmpty, let known = tracked[path]
                else { continue }
                for old in known.accepted where doubts[path] == nil {
                    doubts[path] = Shrinking.of(
                        text, after: old, isSameFile: file.birth != nil && file.birth == known.birth,
                        isUnfinished: file.isUnfinished, isElsewhere: isElsewhere)
                }
            }
            return doubts
        }
        let first = doubts({ _ in false }, among: reading.files.keys)
        guard !first.isEmpty else { return [:] }
        var elsewhere: Set<ObjectKey> = []
        for (path, file) in reading.files where first[path] == nil {
            if case .text(let text) = file.state { elsewhere.formUnion(text.content.objects.map(\.key)) }
        }
        elsewhere.subtract(reducer.contradicted)
        return doubts(elsewhere.contains, among: first.keys)
    }

    private mutating func take(_ path: String, _ file: FolderReading.File, _ doubt: Shrinking?) {
        switch file.state {
        case .unread:
            // As it was, if it was anything.
            return
        case .unreadable(let content):
            tracked[path, default: Tracked()].shown = content
        case .text(let text):
            var known = tracked[path] ?? Tracked()
            if let doubt {
                known.shown = ManifestFile(shrunk: doubt.words)
                known.doubted = text.bytes
            } else if text.content.unreadable.isEmpty {
                known.shown = text.content
                known.doubted = nil
                known.accepted = [text]
                remember(text, &known.copy, file.birth)
            } else {
                known.shown = text.content
                known.doubted = text.bytes
                if !text.content.objects.isEmpty { remember(text, &known.copy, file.birth) }
            }
            if known.birth != file.birth {
                known.birth = file.birth
                serial += 1
                known.copy.birth = file.birth
                known.copy.serial = serial
            }
            tracked[path] = known
        }
    }

    private mutating func remember(_ text: FileText, _ copy: inout FolderCopy, _ birth: FileBirth?) {
        guard text.isAsWritten else {
            // An agent that comes after this one cannot tell from the bytes what they mean.
            guard copy.good != nil || copy.latest != nil else { return }
            copy.good = nil
            copy.latest = nil
            serial += 1
            copy.serial = serial
            return
        }
        let isGood = text.content.isGood
        let isKnown = isGood ? copy.good?.bytes == text.bytes && copy.latest == nil : copy.latest?.bytes == text.bytes
        guard !isKnown, copy.good != nil || !text.content.keys.isEmpty else { return }
        serial += 1
        copy.serial = serial
        copy.birth = birth
        if isGood {
            copy.good = text
            copy.latest = nil
        } else {
            copy.latest = text
        }
    }

    /// Forgets files that are gone with their objects.
    private mutating func forget(_ view: FolderView) {
        guard tracked.count > view.files.count else { return }
        let needed = reducer.files
        tracked = tracked.filter { path, _ in view.files[path] != nil || needed.contains(path) }
    }
}

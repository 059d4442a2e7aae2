import SystemPackage

/// Finds the files below folders that somebody names: the one walk of all who read manifests and tests.
///
/// - Names are taken in the order of their bytes; those that begin with a dot are left out.
/// - Links to files are followed, and each file is taken once, by device and inode: by its own name if that is met, else by
///   the first link to it.
/// - Links to folders are not followed: what is behind them may be anywhere, and may lead back. A path that is named may
///   itself be one.
/// - What is neither file nor folder is not read, as a pipe that nobody writes to would block the reader forever, unless it
///   is named itself.
public struct DirectoryWalk: Sendable {
    /// A file that was found.
    public struct File: Hashable, Sendable {
        /// The path it was found by.
        public let path: String
        /// Its version when it was found.
        public let version: FileVersion
    }

    /// Something below a named path that is not among the files, and why.
    public struct Problem: Hashable, Sendable {
        /// Why.
        public enum Reason: Hashable, Sendable {
            /// A path, or what a link leads to, that the system does not show.
            case unreadable(SystemError)
            /// A folder whose names cannot be read.
            case unreadableFolder(SystemError)
            /// A link to a folder.
            case linkToFolder
            /// Neither file nor folder.
            case notRegular
            /// A name that is not UTF-8 text, so that nothing can be opened by it.
            case nameNotText
            /// A folder inside so many others that it is not searched.
            case tooDeep(limit: Int)
            /// The first file beyond the most that are taken.
            case tooMany(limit: Int)
            /// A folder with more names than are read.
            case tooManyNames(limit: Int)
        }

        /// The path.
        public let path: String
        /// Why.
        public let reason: Reason

        /// A problem.
        public init(path: String, reason: Reason) {
            self.path = path
            self.reason = reason
        }

        /// Whether there may be files that the walk does not know of.
        public var hidesFiles: Bool {
            switch reason {
            case .unreadableFolder, .tooDeep, .tooMany, .tooManyNames: true
            case .unreadable, .linkToFolder, .notRegular, .nameNotText: false
            }
        }
    }

    /// Folders inside each other.
    public static let depthLimit = 32
    /// Files in all.
    public static let fileLimit = 100_000
    /// Names in one folder, of whatever kind.
    public static let nameLimit = 1_000_000

    /// The files, in the order in which they were met first.
    public private(set) var files: [File] = []
    /// The folders that were searched, each before those inside it.
    public private(set) var folders: [String] = []
    /// What was left out, in the order met.
    public private(set) var problems: [Problem] = []
    /// Paths of what was passed over by its name: folders and selected files that begin with a dot, and files that `notes` tells. A
    /// repository's `.git` is nobody's loss.
    public private(set) var passedOver: [String] = []

    private let fileLimit: Int
    private let takesLinkedFilesOnce: Bool
    private let notes: @Sendable (String) -> Bool
    private let selects: @Sendable (String) -> Bool
    /// Where in `files` a file is, and whether only a link to it was met so far.
    private var taken: [FileIdentity: (index: Int, isByLink: Bool)] = [:]
    private var searched: Set<FileIdentity> = []
    private var isFull = false
    /// Files and problems met, those known before included.
    private var met = 0

    /// A walk that has not begun.
    ///
    /// - Parameters:
    ///   - fileLimit: the most files.
    ///   - takesLinkedFilesOnce: whether a file is taken once however many names it has. Where a file's folder has a meaning
    ///     of its own, it is not.
    ///   - notes: which other names are noted in `passedOver`.
    ///   - selects: which names in folders are looked for.
    public init(
        fileLimit: Int = DirectoryWalk.fileLimit, takesLinkedFilesOnce: Bool = true,
        notes: @escaping @Sendable (_ name: String) -> Bool = { _ in false },
        selects: @escaping @Sendable (_ name: String) -> Bool
    ) {
        self.fileLimit = fileLimit
        self.takesLinkedFilesOnce = takesLinkedFilesOnce
        self.notes = notes
        self.selects = selects
    }

    /// Takes what somebody names: a file of any name and kind, or what a folder holds.
    ///
    /// - Returns: how many files and problems are there, those known before included.
    @discardableResult
    public mutating func add(_ path: String) -> Int {
        let before = met
        do throws(Errno) {
            let status = try Stat(FilePath(path))
            if status.type == .directory {
                search(path, status, depth: 0)
            } else {
                take(path, status, isByLink: false)
            }
        } catch {
            report(path, .unreadable(SystemError("stat", path, error)))
        }
        return met - before
    }

    private mutating func search(_ folder: String, _ status: Stat, depth: Int) {
        guard depth < DirectoryWalk.depthLimit else { return report(folder, .tooDeep(limit: DirectoryWalk.depthLimit)) }
        // Named twice, or inside one that was: what it holds is known.
        guard searched.insert(FileIdentity(status)).inserted else {
            met += 1
            return
        }
        let found: FolderNames
        do throws(Errno) {
            found = try FolderNames(folder, limit: DirectoryWalk.nameLimit)
        } catch {
            // A folder inside may have gone since its name was read.
            if depth > 0, error == .noSuchFileOrDirectory || error == .notDirectory { return }
            return report(folder, .unreadableFolder(SystemError("list", folder, error)))
        }
        folders.append(folder)
        if found.isCut { report(folder, .tooManyNames(limit: DirectoryWalk.nameLimit)) }
        // A folder of such a name cannot be looked into either, but only files are looked for by name.
        for name in found.unusable where selects(name) && !name.hasPrefix(".") {
            report(folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)", .nameNotText)
        }
        for name in found.names where !isFull {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if name.hasPrefix(".") { note(path, name) } else { visit(path, name, depth: depth) }
        }
    }

    private mutating func note(_ path: String, _ name: String) {
        guard passedOver.count < DirectoryWalk.fileLimit, name != ".git" else { return }
        let isFolder = (try? Stat(FilePath(path), followTargetSymlink: false).type) == .directory
        if isFolder || selects(name) { passedOver.append(path) }
    }

    private mutating func visit(_ path: String, _ name: String, depth: Int) {
        do throws(Errno) {
            let own = try Stat(FilePath(path), followTargetSymlink: false)
            let isLink = own.type == .symbolicLink
            let status = isLink ? try Stat(FilePath(path)) : own
            if status.type == .directory {
                if isLink { report(path, .linkToFolder) } else { search(path, status, depth: depth + 1) }
            } else if notes(name) {
                if passedOver.count < DirectoryWalk.fileLimit { passedOver.append(path) }
            } else if selects(name) {
                if status.type == .regular {
                    take(path, status, isByLink: isLink)
                } else {
                    report(path, .notRegular)
                }
            }
        } catch {
            // A name that went since it was read is nothing; a link that leads nowhere is, if it would be looked for.
            let isThere = (try? Stat(FilePath(path), followTargetSymlink: false)) != nil
            if isThere, selects(name) { report(path, .unreadable(SystemError("stat", path, error))) }
        }
    }

    private mutating func take(_ path: String, _ status: Stat, isByLink: Bool) {
        met += 1
        let file = File(path: path, version: FileVersion(status))
        if takesLinkedFilesOnce, status.type == .regular {
            if let known = taken[file.version.identity] {
                // Whoever writes to the file is seen at its own name.
                if known.isByLink, !isByLink {
                    files[known.index] = file
                    taken[file.version.identity] = (known.index, false)
                }
                return
            }
            taken[file.version.identity] = (files.count, isByLink)
        }
        guard files.count < fileLimit else {
            if !isFull { report(path, .tooMany(limit: fileLimit)) }
            isFull = true
            return
        }
        files.append(file)
    }

    private mutating func report(_ path: String, _ reason: Problem.Reason) {
        met += 1
        problems.append(Problem(path: path, reason: reason))
    }
}

extension DirectoryWalk.Problem {
    /// What is wrong, for people.
    public var message: String {
        switch reason {
        case .unreadable(let error), .unreadableFolder(let error):
            error.errno == .noSuchFileOrDirectory
                ? (isURL ? "this is a URL, and only files and folders are read" : "no such file or folder")
                : "\(error.operation) failed: \(error.reason ?? "")\(error.errno.map { " (errno \($0.rawValue))" } ?? "")"
        case .linkToFolder: "a link to a folder, which is not followed"
        case .notRegular: "this is not a regular file"
        case .nameNotText: "the name is not UTF-8 text"
        case .tooDeep(let limit): "folders are nested deeper than \(limit)"
        case .tooMany(let limit): "there are more than \(limit) files"
        case .tooManyNames(let limit): "there are more than \(limit) names in this folder"
        }
    }

    /// What to do about it.
    public var hint: String {
        switch reason {
        case .unreadable(let error), .unreadableFolder(let error):
            if error.errno != .noSuchFileOrDirectory {
                "check the path and its permissions"
            } else {
                isURL
                    ? "give what is there on standard input: curl -L '\(path)' | netpold lint - (or -f -)"
                    : "check the path"
            }
        case .linkToFolder: "name the folder that it leads to, if what is in it counts"
        case .notRegular: "name it on the command line to read it anyway"
        case .nameNotText: "rename it"
        case .tooDeep: "name the folder itself"
        case .tooMany: "name fewer folders"
        case .tooManyNames: "keep other files out of the folder"
        }
    }

    /// Whether somebody names what is behind a URL.
    private var isURL: Bool { ["http://", "https://"].contains { path.lowercased().hasPrefix($0) } }

    /// As an error, for those who cannot go on.
    public var error: SystemError {
        switch reason {
        case .unreadable(let error), .unreadableFolder(let error): error
        case .linkToFolder, .notRegular, .nameNotText, .tooDeep, .tooMany, .tooManyNames:
            SystemError("list", path, nil, detail: message, hint: hint)
        }
    }
}

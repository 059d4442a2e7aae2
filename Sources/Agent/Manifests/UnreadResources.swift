import Glibc
import PolicyAPI

/// What a kustomization takes, or makes, that is not among the files that are read: the policies in it nobody sees.
struct UnreadResources: Hashable {
    /// Why something is not read.
    enum Reason: Int, Hashable, Comparable {
        /// A path that is not among the files.
        case absent
        /// An address of another repository or a server.
        case elsewhere
        /// A field that makes objects.
        case generator
        /// A field that kustomize does not have, or not in this form.
        case misunderstood

        static func < (left: Reason, right: Reason) -> Bool { left.rawValue < right.rawValue }
    }

    /// One of these.
    struct Item: Hashable {
        let reason: Reason
        /// The path, the address, or the field with what is wrong with it.
        let text: String
        /// Where it is written.
        let location: SourceLocation
    }

    /// What is not read, in the order of the file; not empty.
    let items: [Item]
    /// How to read it.
    let remedy: String

    /// `nil` when everything is read.
    init?(_ items: [Item], remedy: String) {
        guard !items.isEmpty else { return nil }
        self.items = items
        self.remedy = remedy
    }

    /// What to say, once for each reason.
    var diagnostics: [Diagnostic] {
        Dictionary(grouping: items, by: \.reason).sorted { $0.key < $1.key }.compactMap { reason, items in
            guard let first = items.first else { return nil }
            let named = items.prefix(3).map(\.text).joined(separator: ", ")
            let list = items.count > 3 ? "\(named) and \(items.count - 3) more" : named
            let message =
                switch reason {
                case .absent:
                    "it takes \(list), not among the files that are read: what they would add is left out"
                case .elsewhere: "it takes \(list), which is elsewhere: what is there is left out"
                case .generator: "it has \(list): the objects that these make are left out"
                case .misunderstood: "\(list): what is meant by it is left out"
                }
            return Diagnostic(
                id: .kustomization, severity: .warning, location: first.location, message: message, hint: remedy)
        }
    }
}

/// Whether paths are among the files of a search, under whatever name.
struct ReadPaths {
    private let files: [String]
    private let names: Set<String>
    private let isPassedOver: (String) -> Bool
    /// Files and folders by their real names: one may be named from here, from the root, by a link. Few searches need them.
    private lazy var realNames = ReadPaths.withFolders(files.compactMap(ReadPaths.real))

    /// - Parameters:
    ///   - files: the files that are read.
    ///   - isPassedOver: whether somebody has said that a path is not to be looked at.
    init(_ files: [String], isPassedOver: @escaping (String) -> Bool) {
        self.files = files
        self.isPassedOver = isPassedOver
        names = ReadPaths.withFolders(files.map(Kustomization.normal))
    }

    /// Whether a path is read, or somebody does not want it to be.
    mutating func contains(_ path: String) -> Bool {
        if names.contains(path) || isPassedOver(path) { return true }
        return ReadPaths.real(path).map { realNames.contains($0) } ?? false
    }

    /// Files, and the folders around them.
    private static func withFolders(_ files: [String]) -> Set<String> {
        var all = Set(files)
        for file in files {
            var folder = Kustomization.folder(of: file)
            while all.insert(folder).inserted, folder.contains("/"), folder != "/" {
                folder = Kustomization.folder(of: folder)
            }
        }
        return all
    }

    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

import Support
import Yams

/// A value of a kubeconfig that knows its file, line and path, so that each error can name them.
struct KubeconfigNode {
    /// Bytes that a kubeconfig may have.
    static let limit = 16 << 20

    let file: String
    let path: String
    private let node: Node

    /// Reads a file.
    init(reading file: String) throws(KubeconfigError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileContent.read(file, limit: KubeconfigNode.limit)
        } catch {
            throw KubeconfigError(
                file: PrintableName.of(file), problem: "it cannot be read: \(error)",
                fix: "name a kubeconfig that this user may read, or make one with `kubectl config view --raw --flatten`"
            )
        }
        // Editors of some systems begin a file with this mark; kubectl does not mind.
        let text = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...]
        self = try KubeconfigNode(String(decoding: text, as: UTF8.self), file: file)
    }

    /// Reads a text.
    init(_ text: String, file: String) throws(KubeconfigError) {
        let found: Node?
        do {
            found = try Yams.compose(yaml: text)
        } catch {
            throw KubeconfigError(
                file: PrintableName.of(file), problem: "it is no YAML: \(KubeconfigNode.words(error))",
                fix: "correct it there")
        }
        self.init(file: file, path: "", node: found ?? Node.mapping([:]))
        guard case .mapping = node else {
            throw self.error(
                "a kubeconfig is a map", "write apiVersion: v1, kind: Config, clusters, users and contexts")
        }
    }

    /// What is wrong, and where; not the line itself, which may hold a secret.
    private static func words(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        case .duplicatedKeysInMapping(let keys, let context):
            "line \(context.mark.line): \(keys.joined(separator: ", ")) twice"
        default: "it cannot be read as such"
        }
    }

    private init(file: String, path: String, node: Node) {
        self.file = file
        self.path = path
        self.node = node
    }

    /// `config:12`.
    var place: String { "\(PrintableName.of(file))\(node.mark.map { ":\($0.line)" } ?? "")" }

    /// An error at this value.
    func error(_ problem: String, _ fix: String) -> KubeconfigError {
        KubeconfigError(file: place, key: path, problem: problem, fix: fix)
    }

    /// The value under a key; `nil` when there is none, or null.
    subscript(key: String) -> KubeconfigNode? {
        guard case .mapping(let mapping) = node, let value = mapping[Node(key)], value.null == nil else { return nil }
        return KubeconfigNode(file: file, path: path.isEmpty ? key : "\(path).\(key)", node: value)
    }

    /// The text of a value under a key; `nil` when there is none or it is empty.
    func text(_ key: String) throws(KubeconfigError) -> String? {
        try refuseMerges()
        guard let value = self[key] else { return nil }
        guard case .scalar(let scalar) = value.node else { throw value.error("it is no text", "write one text") }
        return scalar.string.isEmpty ? nil : scalar.string
    }

    /// Whether a value under a key is true.
    func flag(_ key: String) throws(KubeconfigError) -> Bool {
        try refuseMerges()
        guard let value = self[key] else { return false }
        guard let flag = value.node.bool else {
            throw value.error("it is neither true nor false", "write true or false")
        }
        return flag
    }

    /// The elements of a list under a key; none when there is none.
    func list(_ key: String) throws(KubeconfigError) -> [KubeconfigNode] {
        try refuseMerges()
        guard let value = self[key] else { return [] }
        guard case .sequence(let sequence) = value.node else { throw value.error("it is no list", "write a list") }
        return sequence.enumerated().map { index, element in
            let name = element.mapping?["name"]?.string.map(PrintableName.of) ?? "\(index)"
            return KubeconfigNode(file: file, path: "\(value.path)[\(name)]", node: element)
        }
    }

    /// A map that takes keys of another one: what it would say is not known without them.
    private func refuseMerges() throws(KubeconfigError) {
        guard case .mapping(let mapping) = node else { return }
        for (key, _) in mapping {
            guard case .scalar(let scalar) = key, scalar.string == "<<" else { continue }
            throw error(
                "netpold reads no merge keys (<<)",
                "write the keys out that are merged: `kubectl config view --raw --flatten` does")
        }
    }

    /// The text that the value is.
    func text() throws(KubeconfigError) -> String {
        guard case .scalar(let scalar) = node else { throw error("it is no text", "write one text") }
        return scalar.string
    }

    /// A path under a key, made absolute: kubeconfigs name files from where they are themselves.
    func filePath(_ key: String) throws(KubeconfigError) -> String? {
        try text(key).map(resolve)
    }

    /// A path as meant from the kubeconfig's folder.
    func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}

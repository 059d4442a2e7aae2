/// The limits of one input. Manifests are untrusted; nothing here grows without a bound.
public enum DocumentLimits {
    /// Bytes of one file, and of one document or item of standard input.
    public static let bytes = 16 << 20
    /// Bytes of standard input: a whole cluster, as kubectl prints it.
    public static let streamBytes = 256 << 20
    /// Values of standard input.
    public static let streamNodes = 32_000_000
    /// Nesting depth of maps and lists.
    public static let depth = 64
    /// Values of one file, keys not counted, each alias counted with everything it expands to.
    public static let nodes = 1_000_000
    /// Aliases of one file.
    public static let aliases = 1_000
    /// Bytes of one file that are read again because keys are repeated in it.
    public static let repeatedBytes = 4 << 20
}

/// What is left of the limits of one file.
struct DocumentBudget {
    /// The file's name.
    let file: String
    /// Values left.
    private(set) var nodes: Int
    /// Aliases left.
    private(set) var aliases = DocumentLimits.aliases
    /// Bytes left that may be read again because keys are repeated.
    private var repeatedBytes = DocumentLimits.repeatedBytes

    private let limit: Int

    init(file: String, nodes: Int = DocumentLimits.nodes) {
        self.file = file
        self.nodes = nodes
        limit = nodes
    }

    /// A budget for what is read before it is known what is left: no alias, so that there are fewer values than bytes.
    static func ahead(file: String) -> DocumentBudget {
        var budget = DocumentBudget(file: file)
        budget.aliases = 0
        return budget
    }

    /// Counts values that were read ahead, if as many are left. Returns whether they are.
    mutating func spend(_ count: Int) -> Bool {
        guard count <= nodes else { return false }
        nodes -= count
        return true
    }

    /// Counts bytes that are read again. Returns whether as many are left.
    mutating func spendRepeated(bytes: Int) -> Bool {
        guard repeatedBytes >= bytes else { return false }
        repeatedBytes -= bytes
        return true
    }

    /// Whether a limit was exceeded: the rest of the file is not read.
    var isSpent: Bool { nodes < 0 || aliases < 0 }

    /// Counts one value at a location; throws when there are too many or it is too deep.
    mutating func spendNode(at location: SourceLocation, depth: Int) throws(DocumentFailure) {
        try spendNodes(1, at: location, depth: depth)
    }

    /// Counts several values, the deepest of them at `depth`.
    mutating func spendNodes(_ count: Int, at location: SourceLocation, depth: Int) throws(DocumentFailure) {
        nodes -= count
        guard nodes >= 0 else {
            throw DocumentFailure(
                id: .limit, location: location,
                message:
                    "the file has more than \(limit) values (aliases expanded)",
                hint: "split it into several files")
        }
        guard depth <= DocumentLimits.depth else {
            throw DocumentFailure(
                id: .limit, location: location,
                message: "maps and lists are nested deeper than \(DocumentLimits.depth)", hint: "flatten the document")
        }
    }

    /// Counts one alias.
    mutating func spendAlias(at location: SourceLocation) throws(DocumentFailure) {
        aliases -= 1
        guard aliases >= 0 else {
            throw DocumentFailure(
                id: .limit, location: location, message: "the file has more than \(DocumentLimits.aliases) aliases",
                hint: "replace aliases by their values")
        }
    }
}

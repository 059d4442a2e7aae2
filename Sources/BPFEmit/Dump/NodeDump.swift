import NetTypes
import PolicyIR

/// A compiled node for people, as values to be written: the same for the same input, on every machine.
public struct NodeDump: Sendable {
    /// What to show.
    public enum Form: String, CaseIterable, Sendable {
        /// Endpoints, subjects, sizes.
        case summary
        /// Identities and rules.
        case ir
        /// Every map entry, in words and in hexadecimal.
        case maps
        /// The programs, each block with its rule.
        case asm
    }

    /// A piece of a dump.
    public enum Block: Hashable, Sendable {
        /// Begins a section.
        case heading(String)
        /// A line as it is.
        case line(String)
        /// A table, indented.
        case table(DumpTable)
    }

    let image: NodeImage
    let state: CompilerState

    /// A dump of a node; with `endpoint` (`namespace/name`) of that pod's subject alone.
    public init(_ state: CompilerState, endpoint: String? = nil) {
        self.state = state
        var image = state.image
        if let endpoint {
            image.endpoints.removeAll { "\($0.key)" != endpoint }
            let wanted = Set(image.endpoints.map(\.subject))
            image.subjects.removeAll { !wanted.contains($0.key) }
        }
        self.image = image
    }

    /// What is dumped.
    public var shown: NodeImage { image }

    /// The pieces of a form.
    public func blocks(_ form: Form) -> [Block] {
        switch form {
        case .summary: summary
        case .ir: ir
        case .maps: maps
        case .asm: asm
        }
    }

    /// The names of the identities, by number.
    var names: [UInt32: String] {
        Dictionary(image.identities.map { ($0.number, $0.label) }, uniquingKeysWith: { first, _ in first })
    }

    /// `256`, or `0x1000000` from the first node-local number on.
    static func number(_ identity: UInt32) -> String {
        identity < IdentityScope.outside.numbers.lowerBound ? String(identity) : "0x" + String(identity, radix: 16)
    }
}

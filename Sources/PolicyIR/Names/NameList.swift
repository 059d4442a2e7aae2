public import PolicyAPI

/// The `toFQDNs` peers of a rule, whatever their order: what a column of names stands for.
public struct NameList: Hashable, Sendable {
    /// Each once, sorted by kind and text.
    public let selectors: [FQDNSelector]

    /// The list of some selectors.
    public init(_ selectors: some Sequence<FQDNSelector>) {
        self.selectors = Set(selectors).sorted { $0.order < $1.order }
    }

    /// Whether one of the selectors matches a name.
    public func matches(_ name: String) -> Bool { selectors.contains { NamePattern($0).matches(name) } }
}

extension NameList: Comparable {
    /// By the selectors, one after the other.
    public static func < (left: NameList, right: NameList) -> Bool {
        left.selectors.lexicographicallyPrecedes(right.selectors) { $0.order < $1.order }
    }
}

extension NameList: CustomStringConvertible {
    /// `api.example.com, *.example.org`.
    public var description: String { texts.joined(separator: ", ") }

    /// The selectors as they are written.
    public var texts: [String] {
        selectors.map { selector in
            switch selector {
            case .name(let text), .pattern(let text): text
            }
        }
    }
}

extension PolicyRule {
    /// The rule's peers that are names; `nil` when there is none.
    public var nameList: NameList? {
        guard case .anyOf(let peers) = peers, peers.haveNames else { return nil }
        let selectors = peers.compactMap { peer -> FQDNSelector? in
            if case .names(let selector) = peer { selector } else { nil }
        }
        return selectors.isEmpty ? nil : NameList(selectors)
    }
}

extension [Peer] {
    /// Whether one of them is a name. Through a span: nothing is copied where there is none.
    fileprivate var haveNames: Bool {
        let peers = span
        for place in peers.indices { if case .names = peers[place] { return true } }
        return false
    }
}

extension FQDNSelector {
    /// By kind, then text.
    fileprivate var order: (Int, String) {
        switch self {
        case .name(let name): (0, name)
        case .pattern(let pattern): (1, pattern)
        }
    }
}

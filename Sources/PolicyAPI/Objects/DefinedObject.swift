/// What several definitions of one object come to: which of them counts, and whether they leave open which is meant.
///
/// `Place` is where a definition is: what was refused in the place of a good one is a part of the same definition.
public struct DefinedObject<Place: Equatable & Sendable>: Sendable {
    /// The first good definition.
    public private(set) var good: ClusterObject?
    /// Whether the definitions do not all say the same: then none of them is in force (docs/decisions/0009).
    public private(set) var isContradicted = false
    private var place: Place?
    private var refused: [Place] = []

    /// Of nothing yet.
    public init() {}

    /// Takes the next definition; `nil` is one that was refused, which says nothing that is known.
    public mutating func add(_ definition: ClusterObject?, at where: Place) {
        guard let definition else {
            if let good, place != `where`, good.isContradicted(by: nil) { isContradicted = true }
            if good == nil { refused.append(`where`) }
            return
        }
        if let good {
            if good.isContradicted(by: definition) { isContradicted = true }
            return
        }
        good = definition
        place = `where`
        if refused.contains(where: { $0 != `where` }), definition.isContradicted(by: nil) { isContradicted = true }
        refused = []
    }
}

extension ClusterObject {
    /// Whether another definition under the same key, `nil` where that was refused, leaves open which of the two is meant. Several folders
    /// often declare the namespace that they need: of two good ones the first counts, as of pods and nodes.
    fileprivate func isContradicted(by other: ClusterObject?) -> Bool {
        switch self {
        case .pod, .node: false
        case .namespace: other == nil
        case .service, .endpointSlice, .cidrGroup, .networkPolicy, .clusterPolicy, .ciliumPolicy:
            other.map { !means($0) } ?? true
        }
    }
}

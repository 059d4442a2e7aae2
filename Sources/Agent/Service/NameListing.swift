import BPFEmit
import PolicyIR
import Support

/// Makes the rows of `netpold names`.
struct NameListing {
    let feed: NameFeed
    let image: NodeImage?

    /// The rows, sorted by place.
    func rows() -> [NameReport] {
        let subjects = Dictionary((image?.subjects ?? []).map { ($0.key, $0) }) { first, _ in first }
        let endpoints = Dictionary((image?.endpoints ?? []).map { ($0.key, $0) }) { first, _ in first }
        let now = MonotonicClock.seconds
        return feed.history.pods.sorted { $0.key < $1.key }.map { pod, known in
            let columns = endpoints[pod].flatMap { subjects[$0.subject] }?.egress.columns ?? []
            let use = feed.use(of: pod)
            return NameReport(
                pod: "\(pod.namespace)/\(pod.name)",
                names: known.learnt.compactMap { NameListing.row($0, columns, now) },
                denied: known.denied.map {
                    NameReport.Denial(
                        name: $0.name, kind: $0.isServerName ? "tls" : "dns", remote: "\($0.remote)", count: $0.count)
                },
                entries: use?.entries, refused: use?.refused, unlearnt: use?.unlearnt)
        }.sorted { $0.place < $1.place }
    }

    private static func row(_ known: LearntName, _ columns: [PolicyBits.Column], _ now: UInt32) -> NameReport.Name? {
        let addresses = known.addresses.filter { $0.value > now }.sorted { $0.key < $1.key }.map {
            NameReport.Address(address: "\($0.key)", seconds: $0.value - now)
        }
        guard !addresses.isEmpty else { return nil }
        let selectors = columns.flatMap(\.list.selectors).filter { NamePattern($0).matches(known.name) }
        return NameReport.Name(
            name: known.name, addresses: addresses, selectors: NameList(selectors).texts)
    }
}

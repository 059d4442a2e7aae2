import BPFEmit

/// Which endpoints have too little of the flow table, from one look at it to the next.
struct CrowdedFlows {
    /// Looks for which a pod that was refused flows is named: a minute, as one is 10 s after the other.
    static let looks = 6

    /// What the latest look found; `nil` before the first one.
    private var shares: [EndpointKey: FlowShare]?
    /// Flows that were refused lately, and for how many looks that is to be said yet.
    private var refused: [EndpointKey: (flows: UInt64, looks: Int)] = [:]

    /// Takes a look: the endpoints whose part is nearly full of answered flows and cannot become larger, and those that have been refused
    /// new flows since one of the latest looks, sorted.
    mutating func conditions(_ now: [EndpointKey: FlowShare]) -> [Condition] {
        var found: [EndpointKey: (flows: UInt64, looks: Int)] = [:]
        for (key, share) in now {
            // Of an endpoint that is new all is news, and what counts from 0 again is a new one.
            let before = shares?[key].map { $0.refused > share.refused ? 0 : $0.refused } ?? 0
            let known = refused[key]
            if share.refused > before {
                found[key] = (share.refused - before + (known?.flows ?? 0), CrowdedFlows.looks)
            } else if let known, known.looks > 1 {
                found[key] = (known.flows, known.looks - 1)
            }
        }
        // What an earlier process has seen is no news.
        refused = shares == nil ? [:] : found
        shares = now
        return now.sorted { $0.key < $1.key }.compactMap { key, share in
            if share.isCrowded { return Condition(crowded: key, share) }
            return refused[key].map { Condition(refused: $0.flows, key, share) }
        }
    }
}

extension Condition {
    /// An endpoint whose part of the flow table is nearly full of answered flows and cannot become larger.
    fileprivate init(crowded key: EndpointKey, _ share: FlowShare) {
        let refused = share.refused == 0 ? "" : "; \(share.refused) new flows found no room"
        self.init(
            kind: .flowsCrowded, subject: "\(key)",
            message: "\(key) has \(share.answered) answered flows, and the flow table has room for \(share.room) "
                + "of this pod's: new ones will be dropped\(refused)")
    }

    /// An endpoint that needed more room than it has for the moment.
    fileprivate init(refused flows: UInt64, _ key: EndpointKey, _ share: FlowShare) {
        self.init(
            kind: .flowsCrowded, subject: "\(key)",
            message:
                "\(flows) packets that begin new flows of \(key) were dropped lately: there was no room among \(share.room) flows"
                + (share.canGrow ? ", and there will be more soon" : ", and there is no more to be had"))
    }
}

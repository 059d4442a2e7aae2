import BPFEmit

extension Condition {
    /// Endpoints whose part of the flow table is nearly full of answered flows and cannot become larger; sorted.
    static func crowded(_ shares: [EndpointKey: FlowShare]) -> [Condition] {
        shares.filter(\.value.isCrowded).sorted { $0.key < $1.key }.map { key, share in
            let refused = share.refused == 0 ? "" : "; \(share.refused) new flows found no room"
            return Condition(
                kind: .flowsCrowded, subject: "\(key)",
                message: "\(key) has \(share.answered) answered flows, and the flow table has room for \(share.room) "
                    + "of this pod's: new ones will be dropped\(refused)")
        }
    }
}

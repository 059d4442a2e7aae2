import Agent
import PolicyAPI
import PolicyIR

extension RefusedObject {
    /// What is handed on of a Pod that waits for its Namespace: as of a refused one, nothing passes between its addresses and the pods of
    /// this node. `nil` where it has no addresses of its own.
    init?(waiting key: ObjectKey, _ news: ObjectNews) {
        let own = news.refusal?.isolating ?? []
        let closing = news.pod.map { PolicyRefusal.standingIn(for: .pod($0.pod), at: nil) } ?? []
        guard let origin = news.pod?.origin, !closing.isEmpty else {
            guard let refusal = news.refusal else { return nil }
            self = refusal
            return
        }
        let why = Diagnostic(
            id: .unresolved, location: .whole(key.text),
            message:
                "its Namespace \(key.namespace) is not there, or has not come yet, and policies may name its labels",
            hint: "if this lasts, look whether the namespace exists and the agent may list namespaces")
        self.init(
            key: key, origin: origin, diagnostics: [why],
            isolating: own + PolicyLowering.lowerRefused(closing))
    }
}

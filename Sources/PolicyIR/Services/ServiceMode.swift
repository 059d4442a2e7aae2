/// What a node does about packets of its pods to Services.
public enum ServiceMode: String, CaseIterable, Sendable {
    /// Translates them before policies are asked: policies see the endpoint that is chosen.
    case translate
    /// Leaves the translation to another component behind the pods' hooks. Policies ask about every endpoint that may be
    /// chosen: all of them must be allowed.
    case observe
    /// Nothing: somebody else translates behind the pods' hooks, and policies see the Services' addresses.
    case off
}

/// What a node does about packets of its pods to Services.
public enum ServiceMode: String, CaseIterable, Sendable {
    /// Translates them before policies are asked.
    case translate
    /// Nothing: somebody else translates behind the pods' hooks, and policies see the Services' addresses.
    case off
}

/// One element of `toServices`.
public enum ServiceReference: Hashable, Sendable {
    /// `k8sService`; an empty namespace means any.
    case named(name: String, namespace: String)
    /// `k8sServiceSelector`; an empty namespace means any.
    case selected(LabelSelector, namespace: String)
}

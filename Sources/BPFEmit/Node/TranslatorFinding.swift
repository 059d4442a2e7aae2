/// A component found on the node that translates Services.
public struct TranslatorFinding: Hashable, Sendable {
    /// Which component.
    public enum Component: String, Hashable, CaseIterable, Sendable {
        /// kube-proxy, by rules of nftables.
        case kubeProxyNFTables = "kube-proxy (nftables)"
        /// kube-proxy, by rules of iptables.
        case kubeProxyIPTables = "kube-proxy (iptables)"
        /// kube-proxy, by IPVS.
        case kubeProxyIPVS = "kube-proxy (IPVS)"
        /// Cilium's programs.
        case cilium = "Cilium"
        /// Calico's programs.
        case calico = "Calico's eBPF dataplane"
        /// A network plugin that forwards by Open vSwitch.
        case openVSwitch = "Open vSwitch"

        /// Whether it is kube-proxy: then it stands behind the pods' hooks, translates what still has a Service's address there,
        /// and leaves alone what has none.
        public var isKubeProxy: Bool {
            switch self {
            case .kubeProxyNFTables, .kubeProxyIPTables, .kubeProxyIPVS: true
            case .cilium, .calico, .openVSwitch: false
            }
        }
    }

    /// The component.
    public var component: Component
    /// What says so, for people: `nftables has a table ip kube-proxy`.
    public var evidence: String

    /// A finding.
    public init(_ component: Component, evidence: String) {
        self.component = component
        self.evidence = evidence
    }
}

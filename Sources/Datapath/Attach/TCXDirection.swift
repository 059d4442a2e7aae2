import CLibBPF

/// The two hooks of an interface, as the kernel numbers them. The installed headers are older than TCX.
enum TCXDirection {
    /// What the host receives from the pod.
    case ingress
    /// What the host sends to the pod.
    case egress

    /// `BPF_TCX_INGRESS` (46) and `BPF_TCX_EGRESS` (47).
    var attachType: bpf_attach_type { bpf_attach_type(rawValue: self == .ingress ? 46 : 47) }
}

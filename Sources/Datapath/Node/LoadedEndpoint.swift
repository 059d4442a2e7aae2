import BPFEmit
import CNetpoldABI

/// A pod the kernel knows.
struct LoadedEndpoint {
    let slot: UInt32
    /// The slot's value in the kernel.
    var value: np_endpoint
    /// `SubjectImage.key`.
    var subject: String
    /// Its interfaces, by number.
    var links: [UInt32]
    /// The entry programs of its hooks.
    let ingressStub: BPFProgram
    let egressStub: BPFProgram

    func stub(_ hook: Hook) -> BPFProgram { hook.direction == .ingress ? ingressStub : egressStub }
}

/// A subject's two policies in the kernel.
struct LoadedSubject {
    /// Its place in np_policies: programs at `2 * slot + direction`.
    let slot: UInt32
    var ingress: LoadedPolicy
    var egress: LoadedPolicy
}

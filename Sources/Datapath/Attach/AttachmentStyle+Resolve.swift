import BPFEmit
import SystemPackage

extension AttachmentStyle {
    /// This style, with `automatic` resolved by asking the kernel.
    ///
    /// - Throws: when the kernel did not say, or lacks a style that was asked for by name.
    func resolved() throws(BPFError) -> AttachmentStyle {
        guard self == .automatic || self == .tcx else { return self }
        switch KernelFeature.tcx.probe() {
        case .available: return .tcx
        case .missing where self == .automatic: return .clsact
        case .missing(let minimum):
            throw BPFError(
                .attach, "tcx", errno: .invalidArgument, detail: "this kernel has no TCX links (\(minimum) has)")
        case .inconclusive(let error): throw error
        }
    }
}

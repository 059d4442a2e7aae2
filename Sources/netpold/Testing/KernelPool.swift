import BPFEmit
import Datapath

/// Loaded programs, kept from test to test: loading them takes longer than most tests.
final class KernelPool {
    /// The proxy that decides what the programs send there.
    let proxy: ProxyTrial?
    private var idle: [KernelDecider]
    private var inUse: [KernelDecider] = []

    /// Programs and a proxy; without one its requests are not decided. The first programs are loaded here: a kernel that refuses them
    /// decides no test.
    init(proxy: ProxyTrial?) throws(BPFError) {
        self.proxy = proxy
        idle = [try KernelDecider()]
    }

    /// Programs with an image, for as long as the test runs.
    func take(_ image: NodeImage) throws -> KernelDecider {
        let kernel: KernelDecider
        if let used = idle.popLast() {
            try used.update(image)
            kernel = used
        } else {
            kernel = try KernelDecider(image)
        }
        inUse.append(kernel)
        return kernel
    }

    /// The test before is over.
    func takeBack() {
        idle += inUse
        inUse = []
    }
}

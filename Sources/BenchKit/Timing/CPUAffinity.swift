import CLinux
import Datapath
import Glibc

/// On which CPU a thread runs; for measurements.
enum CPUAffinity {
    /// Keeps the calling thread on one of the first 64 CPUs.
    ///
    /// - Throws: `NetlinkError` when the machine has no such CPU.
    static func pin(to cpu: Int) throws(NetlinkError) {
        guard np_pin_to_cpus(1 << UInt(cpu)) == 0 else {
            throw NetlinkError("pin thread to", "CPU \(cpu)", message: String(cString: strerror(errno)))
        }
    }
}

import CLinux
import Support

/// On which CPU a thread runs; for measurements.
enum CPUAffinity {
    /// Keeps the calling thread on one of the first 64 CPUs.
    ///
    /// - Throws: `SystemError` when the machine has no such CPU.
    static func pin(to cpu: Int) throws(SystemError) {
        try SystemError.check("pin thread to", "CPU \(cpu)") { np_pin_to_cpus(1 << UInt(cpu)) }
    }
}

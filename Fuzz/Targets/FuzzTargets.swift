import CLibFuzzer
import Glibc
import NetpoldTestSupport

/// `FuzzTargets TARGET [libFuzzer's arguments]`: feeds libFuzzer's inputs to the laws of one target. A broken law ends the process,
/// so that libFuzzer keeps the input.
@main
enum FuzzTargets {
    static func main() {
        var arguments = CommandLine.unsafeArgv
        var count = CommandLine.argc - 1
        switch CommandLine.arguments.dropFirst().first {
        case "manifests":
            run(&count, &arguments) { bytes, count in FuzzTargets.test(bytes, count, ManifestLaws.check) }
        case "values":
            run(&count, &arguments) { bytes, count in FuzzTargets.test(bytes, count, ValueLaws.check) }
        case "verdicts":
            run(&count, &arguments) { bytes, count in FuzzTargets.test(bytes, count, VerdictLaws.check) }
        default:
            print("usage: FuzzTargets manifests|values|verdicts [libFuzzer arguments]")
            exit(2)
        }
    }

    /// Takes the target's name out of the arguments and hands over to libFuzzer.
    private static func run(
        _ count: inout CInt, _ arguments: inout UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) {
        arguments[1] = arguments[0]
        var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
        exit(LLVMFuzzerRunDriver(&count, &rest, callback))
    }

    private static func test(
        _ bytes: UnsafePointer<UInt8>?, _ count: Int, _ check: ([UInt8]) throws(BrokenLaw) -> Void
    ) -> CInt {
        do {
            try check(Array(UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
            fatalError("broken law: \(error)")
        }
        return 0
    }
}

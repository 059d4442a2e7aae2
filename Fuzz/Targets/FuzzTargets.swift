import CLibFuzzer
import Glibc
import HTTPTestSupport
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
        case "wire":
            run(&count, &arguments) { bytes, count in FuzzTargets.test(bytes, count, WireLaws.check) }
        case "http":
            run(&count, &arguments) { bytes, count in
                do {
                    try HTTPLaws.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
                } catch {
                    fatalError("broken law: \(error)")
                }
                return 0
            }
        case "hello":
            run(&count, &arguments) { bytes, count in
                do {
                    try HelloLaws.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
                } catch {
                    fatalError("broken law: \(error)")
                }
                return 0
            }
        case "dns":
            run(&count, &arguments) { bytes, count in
                do {
                    try DNSLaws.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
                } catch {
                    fatalError("broken law: \(error)")
                }
                return 0
            }
        case "dns-seeds": writeDNSSeeds(into: CommandLine.arguments.dropFirst(2).first ?? ".")
        case "hello-seeds": writeHelloSeeds(into: CommandLine.arguments.dropFirst(2).first ?? ".")
        case "http-seeds": writeHTTPSeeds(into: CommandLine.arguments.dropFirst(2).first ?? ".")
        default:
            print(
                "usage: FuzzTargets manifests|values|verdicts|wire|http|hello|dns [libFuzzer arguments]\n       FuzzTargets http-seeds|hello-seeds|dns-seeds FOLDER"
            )
            exit(2)
        }
    }

    /// Writes the cases of the smuggling corpus as inputs of the target `http`, one file each.
    private static func writeHTTPSeeds(into folder: String) {
        do {
            for expectation in try SmugglingCase.all() {
                let path = "\(folder)/seed-\(expectation.group)-\(expectation.name)"
                guard let file = fopen(path, "wb") else { fatalError("cannot write \(path)") }
                let input = HTTPLaws.input(expectation)
                fwrite(input, 1, input.count, file)
                fclose(file)
            }
        } catch {
            fatalError("the corpus: \(error)")
        }
    }

    /// Writes DNS messages as inputs of the target `dns`.
    private static func writeDNSSeeds(into folder: String) {
        for (number, message) in DNSLaws.seeds.enumerated() {
            let path = "\(folder)/seed-\(number)"
            guard let file = fopen(path, "wb") else { fatalError("cannot write \(path)") }
            fwrite(message, 1, message.count, file)
            fclose(file)
        }
    }

    /// Writes recorded and built ClientHellos as inputs of the target `hello`, whole and in segments.
    private static func writeHelloSeeds(into folder: String) {
        do {
            let built = [HelloBytes.hello("a.example.com"), HelloBytes.hello("a.example.com", postQuantum: true)]
            for (number, hello) in try (HelloBytes.names.map { try HelloBytes.recorded($0) } + built).enumerated() {
                for (name, cuts) in [("whole", [0]), ("cut", [2, 60, 100])] as [(String, [UInt8])] {
                    let path = "\(folder)/seed-\(number)-\(name)"
                    guard let file = fopen(path, "wb") else { fatalError("cannot write \(path)") }
                    fwrite(cuts + hello, 1, cuts.count + hello.count, file)
                    fclose(file)
                }
            }
        } catch {
            fatalError("the recorded hellos: \(error)")
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

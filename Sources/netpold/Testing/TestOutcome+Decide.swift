import PolicyAnalysis

extension TestOutcome {
    /// The outcomes of the tests of one file: decided by the evaluator, or by the kernel if there is one.
    static func decide(file: String, _ choice: TestChoice, _ kernels: KernelPool?) -> [TestOutcome] {
        let folder = file.hasSuffix("/test.yaml") ? String(file.dropLast("/test.yaml".count)) : file
        do throws(LoadedTest.Unusable) {
            return try LoadedTest.load(file: file, choice).map { loaded in
                let runner = PolicyTestRunner(loaded.test, evaluator: loaded.evaluator)
                let kernel = kernels.map { KernelFlowDecider(loaded, kernels: $0) }
                return TestOutcome(
                    name: folder,
                    content: .decided(
                        runner.run(with: kernel ?? loaded.evaluator, objects: loaded.objects, requests: kernel)))
            }
        } catch {
            return [TestOutcome(name: folder, content: .unusable(error))]
        }
    }
}

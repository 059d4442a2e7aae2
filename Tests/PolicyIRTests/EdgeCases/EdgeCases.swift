/// Every row that is shown by manifests and flows.
enum EdgeCases {
    static let all: [EdgeCase] =
        shape + selectors + validation + peers + ranges + deny + l7 + ports + names + kubernetes + tiers + sections
        + fields + invalid + decisions + greyAreas + clusterTiers + clusterRules
}

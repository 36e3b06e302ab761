(* Norms of any order p >= 1 between the maximum and a multiple of it, in any ordered field with powers. *)
From Symconv Require Export Subgradients.

(* ---- a reader must believe these definitions, as those of Definitions.v ---- *)
Definition magnitude {F : OField} (a : F) : F := if le order_of zero a then a else opp a.
(* Powers of values that are not negative, with these laws of the powers of real numbers. *)
Record Powers (F : OField) := {
  real_power : F -> F -> F;
  power_nonnegative : forall a p, zero ≼ a -> zero ≼ real_power a p;
  power_increases : forall a b p, zero ≼ a -> a ≼ b -> zero ≼ p -> real_power a p ≼ real_power b p;
  power_product : forall a b p, zero ≼ a -> zero ≼ b -> real_power (a · b) p = real_power a p · real_power b p;
  power_root : forall a p, zero ≼ a -> p <> zero -> real_power (real_power a p) (inverse p) = a;
  power_one : forall a, zero ≼ a -> real_power a one = a;
  power_sum : forall a p q, one ≼ a -> real_power a (p ⊕ q) = real_power a p · real_power a q;
  power_order : forall a p q, one ≼ a -> p ≼ q -> real_power a p ≼ real_power a q }.
Arguments real_power {_}.
(* ---- the rest is proved ---- *)

Section Powers.
Variables (F : OField) (P : Powers F).
Add Ring values : (laws F).
Notation order := (@order_of F).
Notation taps n := (range 0 (n - 1)).

Lemma magnitude_nonnegative (a : F) : zero ≼ magnitude a.
Proof.
  unfold magnitude. destruct (le order zero a) eqn:E; auto. apply le_total in E. apply (order_add F _ _ (opp a)) in E.
  replace (a ⊕ opp a) with (@zero F) in E by ring. replace (zero ⊕ opp a) with (opp a) in E by ring. exact E.
Qed.
Lemma one_below (l : list Z) (f : Z -> F) t : In t l -> (forall k, In k l -> zero ≼ f k) -> f t ≼ sum l f.
Proof.
  induction l as [|k l IH]; intros T H; [destruct T|]. cbn. destruct T as [->|T].
  - replace (f t) with (f t ⊕ zero) at 1 by ring. apply below_add; [apply le_refl|].
    replace (@zero F) with (sum l (fun _ => @zero F)) by apply sum_zero. apply sum_below. intros; apply H; cbn; auto.
  - replace (f t) with (zero ⊕ f t) by ring. apply below_add; [apply H; cbn; auto|]. apply IH; auto. intros; apply H; cbn; auto.
Qed.
Lemma positive_inverse (p : F) : one ≼ p -> p <> zero /\ zero ≼ p /\ zero ≼ inverse p.
Proof.
  intros H. assert (Z : zero ≼ p) by (eapply le_trans; [apply zero_one | exact H]).
  assert (N : p <> zero). { intros ->. apply (one_zero F). apply (le_antisym order); auto. apply zero_one. }
  repeat split; auto. apply inverse_nonnegative; auto.
Qed.
Lemma count_nonnegative n : 0 <= n -> @zero F ≼ inj n.
Proof.
  intros H. replace n with (n - 1 - 0 + 1) by lia. replace (inj (n - 1 - 0 + 1)) with (inj (n - 1 - 0 + 1) · @one F) by ring.
  rewrite <- sum_idle by lia. replace (@zero F) with (sum (taps n) (fun _ => @zero F)) by apply sum_zero.
  apply sum_below. intros. apply zero_one.
Qed.
Theorem norm_between none n (p : F) (x : Z -> F) : 1 <= n -> one ≼ p ->
  (maximum order none (taps n) (fun k => magnitude (x k)) ≼
     real_power P (sum (taps n) (fun k => real_power P (magnitude (x k)) p)) (inverse p)) /\
  (real_power P (sum (taps n) (fun k => real_power P (magnitude (x k)) p)) (inverse p) ≼
     real_power P (inj n) (inverse p) · maximum order none (taps n) (fun k => magnitude (x k))).
Proof.
  intros N H. destruct (positive_inverse p H) as (NZ & PZ & IZ).
  destruct (largest_of F none (fun k => magnitude (x k)) n N) as (t & T & -> & U). cbn beta in U.
  set (M := magnitude (x t)) in *. set (s := sum _ _). assert (M0 : zero ≼ M) by apply magnitude_nonnegative.
  assert (terms : forall k, zero ≼ real_power P (magnitude (x k)) p) by (intros; apply power_nonnegative, magnitude_nonnegative).
  assert (A : real_power P M p ≼ s) by (apply (one_below (taps n) (fun k => real_power P (magnitude (x k)) p) t); auto; apply in_range, T).
  assert (B : s ≼ inj n · real_power P M p).
  { replace n with (n - 1 - 0 + 1) at 1 by lia. rewrite <- sum_idle by lia. apply sum_below. intros k K. apply in_range in K.
    apply power_increases; auto. apply magnitude_nonnegative. }
  assert (M1 : zero ≼ real_power P M p) by (apply power_nonnegative, M0). split.
  - rewrite <- (power_root F P M p M0 NZ) at 1. apply power_increases; auto.
  - eapply le_trans; [apply power_increases; [eapply le_trans; [exact M1 | exact A] | exact B | exact IZ]|].
    rewrite power_product by (auto; apply count_nonnegative; lia). rewrite power_root by auto. apply le_refl.
Qed.
Lemma add_below (a b c : F) : b ≼ c -> a ⊕ b ≼ a ⊕ c.
Proof. intros. apply below_add; [apply le_refl | auto]. Qed.
Lemma inj_below m n : m <= n -> @inj F m ≼ inj n.
Proof.
  intros H. apply (proj2 (below_iff F _ _)). replace (inj n ⊕ inj (- (1)) · inj m) with (@inj F (n - m)).
  { apply count_nonnegative. lia. } rewrite neg_one, inj_sub. ring.
Qed.
Lemma one_below_count n : 1 <= n -> @one F ≼ inj n.
Proof. intros H. rewrite <- inj_1. apply inj_below, H. Qed.
(* Bernoulli's inequality, by induction over a whole exponent. *)
Lemma bernoulli (h : F) q : zero ≼ h -> 1 <= q -> one ⊕ inj q · h ≼ real_power P (one ⊕ h) (inj q).
Proof.
  intros H Q. assert (B : one ≼ one ⊕ h) by (replace (@one F) with (one ⊕ @zero F) at 1 by ring; apply add_below, H).
  assert (B0 : zero ≼ one ⊕ h) by (eapply le_trans; [apply zero_one | exact B]).
  replace q with (1 + Z.of_nat (Z.to_nat (q - 1))) by lia. clear Q. induction (Z.to_nat (q - 1)) as [|m IH].
  - change (1 + Z.of_nat 0) with 1. rewrite inj_1, power_one by auto. replace (one · h) with h by ring. apply le_refl.
  - replace (1 + Z.of_nat (S m)) with (1 + Z.of_nat m + 1) by lia. set (j := 1 + Z.of_nat m) in *.
    rewrite inj_add, inj_1, power_sum, power_one by auto.
    replace (real_power P (one ⊕ h) (inj j) · (one ⊕ h)) with ((one ⊕ h) · real_power P (one ⊕ h) (inj j)) by ring.
    eapply le_trans; [|apply below_mul; [exact B0 | exact IH]].
    replace ((one ⊕ h) · (one ⊕ inj j · h)) with (one ⊕ (inj j ⊕ one) · h ⊕ inj j · (h · h)) by ring.
    replace (one ⊕ (inj j ⊕ one) · h) with (one ⊕ (inj j ⊕ one) · h ⊕ zero) at 1 by ring. apply add_below.
    apply order_mul; [apply count_nonnegative; subst j; lia | apply order_mul; auto].
Qed.
Lemma times_inverse q : 1 <= q -> @inj F q · inverse (inj q) = one.
Proof.
  intros Q. apply inverse_spec. intros E. apply (one_zero F). rewrite <- (recip_spec F q) by lia. rewrite E. ring.
Qed.
Theorem root_bound n q (p : F) : 1 <= n -> 1 <= q -> inj q ≼ p ->
  real_power P (inj n) (inverse p) ≼ one ⊕ inj (n - 1) · inverse (inj q).
Proof.
  intros N Q H. destruct (positive_inverse p) as (NZ & PZ & IZ).
  { eapply le_trans; [apply one_below_count, Q | exact H]. }
  set (h := inj (n - 1) · inverse (inj q)).
  assert (H0 : zero ≼ h). { apply order_mul; [apply count_nonnegative; lia|].
    apply (positive_inverse), one_below_count, Q. }
  assert (B : one ≼ one ⊕ h) by (replace (@one F) with (one ⊕ @zero F) at 1 by ring; apply add_below, H0).
  assert (B0 : zero ≼ one ⊕ h) by (eapply le_trans; [apply zero_one | exact B]).
  rewrite <- (power_root F P (one ⊕ h) p B0 NZ). apply power_increases; [apply count_nonnegative; lia | | exact IZ].
  eapply le_trans; [|apply power_order; [exact B | exact H]]. eapply le_trans; [|apply bernoulli; auto].
  replace (one ⊕ inj q · h) with (@inj F n); [apply le_refl|]. unfold h.
  replace (inj q · (inj (n - 1) · inverse (inj q))) with (inj (n - 1) · (@inj F q · inverse (inj q))) by ring.
  rewrite times_inverse by auto. rewrite inj_sub, inj_1. ring.
Qed.
Theorem norm_limit none n q (p e : F) (x : Z -> F) : 1 <= n -> 1 <= q -> inj q ≼ p ->
  let M := maximum order none (taps n) (fun k => magnitude (x k)) in
  let L := real_power P (sum (taps n) (fun k => real_power P (magnitude (x k)) p)) (inverse p) in
  inj (n - 1) · M ≼ inj q · e -> (zero ≼ L ⊕ inj (- (1)) · M) /\ (L ⊕ inj (- (1)) · M ≼ e).
Proof.
  intros N Q H M L E. destruct (norm_between none n p x N) as [A B].
  { eapply le_trans; [apply one_below_count, Q | exact H]. } fold M L in A, B.
  split; [apply (proj1 (below_iff F M L)), A|].
  apply (cancel F M). replace (M ⊕ (L ⊕ inj (- (1)) · M)) with L by (rewrite neg_one; ring).
  eapply le_trans; [exact B|]. assert (M0 : zero ≼ M).
  { eapply le_trans; [|apply (below_maximum F none (fun k => magnitude (x k)) n 0); lia]. apply magnitude_nonnegative. }
  replace (real_power P (inj n) (inverse p) · M) with (M · real_power P (inj n) (inverse p)) by ring.
  eapply le_trans; [apply below_mul; [exact M0 | apply root_bound with (q := q); auto]|].
  replace (M · (one ⊕ inj (n - 1) · inverse (inj q))) with (M ⊕ inverse (inj q) · (inj (n - 1) · M)) by ring.
  apply add_below. replace e with (inverse (inj q) · (inj q · e)).
  - apply below_mul; auto. apply (positive_inverse), one_below_count, Q.
  - replace (inverse (inj q) · (inj q · e)) with (inj q · inverse (inj q) · e) by ring. rewrite times_inverse by auto. ring.
Qed.
End Powers.
(* How a certificate finds these theorems. *)
Ltac by_norms := intros; first
  [ apply norm_between; [assumption | rewrite <- inj_1; assumption]
  | apply root_bound; assumption | eapply norm_limit; eassumption ].
